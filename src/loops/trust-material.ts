import type { CommitId } from '#model/digest.ts';
import { sha256Of } from '#model/digest.ts';
import { publicKeyOf } from '#model/public-key.ts';
import { parseSshPublicKey } from '#model/ssh-key.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { readTrustPolicy, trustFiles } from '#trust/trust.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

/** What signatures outside of git are judged by: the policy of the last accepted declaration, and its credentials as bundles take them. */
export interface TrustMaterial {
  readonly policy: TrustPolicy;
  /** Every key and identity of the policy that can sign bundles; who may sign what is judged afterwards. */
  readonly credentials: BundleQuestion['credentials'];
  readonly trustedRoot: Uint8Array | undefined;
}

/** Read from the protected base: never from what is proposed. A file of a key that is itself not accepted counts as unreadable. */
export async function trustMaterial(
  world: Pick<World, 'reading' | 'machineRoot'>,
  trust: Pick<TrustOf, 'project' | 'verdict'>,
  revision: CommitId,
): Promise<TrustMaterial> {
  const at = await world.reading.at(revision);
  const project = await acceptedProject(world, trust, revision);
  const files = new Map<string, { readonly text: string } | { readonly unread: string }>();
  for (const [path, most] of trustFiles(project?.value)) {
    const text = await world.reading.textAt(at, path);
    const { kind } = text === undefined ? { kind: 'refused' } : trust.verdict(path);
    if (text === undefined || text.length > most) files.set(path, { unread: 'it is not there, or too long' });
    else files.set(path, kind === 'accepted' || kind === 'not-enforced' ? { text } : { unread: `its last change is ${kind}` });
  }
  const { policy } = readTrustPolicy(project, files);
  const credentials = credentialsOf(policy);
  if (policy.trustedRoot !== undefined) return { policy, credentials, trustedRoot: Buffer.from(policy.trustedRoot.text, 'utf8') };
  const trustedRoot = credentials.some(({ kind }) => kind === 'keyless') ? await world.machineRoot() : undefined;
  if (trustedRoot === undefined) return { policy, credentials, trustedRoot };
  // Verdicts are kept by this digest: another root of the machine is another policy.
  return { policy: { ...policy, digest: sha256Of(`${policy.digest} ${sha256Of(trustedRoot)}`) }, credentials, trustedRoot };
}

/** The declaration of this commit if it was accepted, else the last one that was: a commit is judged by the one before it. */
export async function acceptedProject(
  world: Pick<World, 'reading'>,
  trust: Pick<TrustOf, 'project' | 'verdict'>,
  revision: CommitId,
): Promise<TrustOf['project']> {
  const { kind } = trust.verdict('environments/project.yaml');
  if (kind !== 'accepted' && kind !== 'not-enforced') return trust.project;
  return (await world.reading.declarations(await world.reading.at(revision))).state.project;
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
