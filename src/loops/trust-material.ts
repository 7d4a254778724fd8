import { sha256Of } from '#model/digest.ts';
import { publicKeyOf } from '#model/public-key.ts';
import { parseSshPublicKey } from '#model/ssh-key.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { readTrustPolicy } from '#trust/trust.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

const EMPTY = readTrustPolicy(undefined, new Map()).policy;

/** What signatures outside of git are judged by: the policy of the last accepted declaration, and its credentials as bundles take them. */
export interface TrustMaterial {
  readonly policy: TrustPolicy;
  /** Every key and identity of the policy that can sign bundles; who may sign what is judged afterwards. */
  readonly credentials: BundleQuestion['credentials'];
  readonly trustedRoot: Uint8Array | undefined;
}

/**
 * Of the last declaration that was itself accepted: never of what is proposed. The machine's own root serves projects that name none; one
 * that names a root which cannot be read has none.
 */
export async function trustMaterial(
  world: Pick<World, 'machineRoot'>,
  { policy = EMPTY, project }: Pick<TrustOf, 'policy' | 'project'>,
): Promise<TrustMaterial> {
  const credentials = credentialsOf(policy);
  if (policy.trustedRoot !== undefined) return { policy, credentials, trustedRoot: Buffer.from(policy.trustedRoot.text, 'utf8') };
  const isOpen = project?.value.spec.sigstore?.trustedRoot === undefined && credentials.some(({ kind }) => kind === 'keyless');
  const trustedRoot = isOpen ? await world.machineRoot() : undefined;
  if (trustedRoot === undefined) return { policy, credentials, trustedRoot };
  // Verdicts are kept by this digest: another root of the machine is another policy.
  return { policy: { ...policy, digest: sha256Of(`${policy.digest} ${sha256Of(trustedRoot)}`) }, credentials, trustedRoot };
}

function credentialsOf({ entries }: TrustPolicy): BundleQuestion['credentials'] {
  return entries.flatMap(({ credential }): BundleQuestion['credentials'][number][] => {
    switch (credential.kind) {
      case 'public-key':
      case 'keyless':
        return [credential];
      case 'ssh-key': {
        const key = credential.spkiSha256 === undefined ? undefined : parseSshPublicKey(credential.key);
        return key?.ok === true ? [{ kind: 'public-key', pem: publicKeyOf(key.value.key).pem }] : [];
      }
      case 'openpgp-key':
      case 'x509-root':
        return [];
    }
  });
}
