import type { Project } from '#model/declarations.generated.ts';
import { sha256Of, type CommitId, type Sha256 } from '#model/digest.ts';
import { NOWHERE } from '#model/problem.ts';
import { parseSshPublicKey } from '#model/ssh-key.ts';
import { sshPublicKeyPem } from '#model/ssh-plain.ts';
import type { Credential, TrustEntry } from '#model/trust-policy.ts';
import type { judgeSigner } from '#trust/trust.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

type BundleSigner = Parameters<typeof judgeSigner>[0]['signers'][number];
type DeclaredEntry = NonNullable<Project['spec']['trust']>[number];

/** What signatures of bundles are judged by: the entries of the last accepted declaration, and the files that it names. */
export interface TrustMaterial {
  readonly signers: readonly BundleSigner[];
  /** A sigstore trusted root (JSON); undefined: keyless signatures cannot be verified. */
  readonly trustedRoot: Uint8Array | undefined;
  /** Of all of it: with the digest of a bundle it names a verdict. */
  readonly digest: Sha256;
  /** Entries that could not be used, and why: they vouch for nothing. */
  readonly unusable: readonly string[];
}

/** Files of keys count only where trust itself judges them. */
const JUDGED = /^(policies|environments)\/./;

/** Read from the protected base: never from what is proposed. */
export async function trustMaterial(
  world: Pick<World, 'reading' | 'bundles'>,
  trust: Pick<TrustOf, 'project' | 'verdict'>,
  revision: CommitId,
): Promise<TrustMaterial> {
  const declared = trust.project?.value.spec.trust ?? [];
  const signers: BundleSigner[] = [];
  const unusable: string[] = [];
  for (const entry of declared) {
    const credential = await credentialOf(world, { trust, revision }, entry);
    if (credential === undefined) continue;
    if (typeof credential === 'string') {
      unusable.push(`trust entry ${entry.name}: ${credential}`);
      continue;
    }
    const spkiSha256 = credential.kind === 'public-key' ? (await world.bundles()).keyDigest(credential.pem) : undefined;
    if (credential.kind === 'public-key' && spkiSha256 === undefined)
      unusable.push(`trust entry ${entry.name}: it is no public key in PEM`);
    else signers.push({ entry: entryOf(entry, credential), spkiSha256 });
  }
  const trustedRoot = undefined;
  return { signers, trustedRoot, digest: sha256Of(JSON.stringify([signers, unusable])), unusable };
}

type BundleCredential = Extract<Credential, { kind: 'public-key' | 'keyless' }>;

/** Undefined for what cannot sign bundles; a text says why an entry that could is of no use. */
async function credentialOf(
  world: Pick<World, 'reading'>,
  from: { readonly trust: Pick<TrustOf, 'verdict'>; readonly revision: CommitId },
  entry: DeclaredEntry,
): Promise<BundleCredential | string | undefined> {
  const { issuer, identity, identityPattern, publicKey, sshKey } = entry;
  if (sshKey !== undefined) {
    const key = parseSshPublicKey(sshKey);
    if (!key.ok || key.value.application !== undefined) return undefined;
    return { kind: 'public-key', pem: sshPublicKeyPem(key.value) };
  }
  if (issuer !== undefined) {
    if (identity !== undefined) return { kind: 'keyless', issuer, identity: { kind: 'exact', identity } };
    if (identityPattern !== undefined) return { kind: 'keyless', issuer, identity: { kind: 'pattern', pattern: identityPattern } };
    return 'it names an issuer and no identity, which would be anyone';
  }
  const { file } = publicKey ?? {};
  if (file === undefined) return undefined;
  const pem = await judgedFile(world, from, file);
  return pem.kind === 'read' ? { kind: 'public-key', pem: pem.text } : pem.reason;
}

type JudgedFile = { readonly kind: 'read'; readonly text: string } | { readonly kind: 'refused'; readonly reason: string };

async function judgedFile(
  world: Pick<World, 'reading'>,
  { trust, revision }: { readonly trust: Pick<TrustOf, 'verdict'>; readonly revision: CommitId },
  path: string,
): Promise<JudgedFile> {
  if (!JUDGED.test(path))
    return { kind: 'refused', reason: `${path} is not below policies/ or environments/, where signatures are judged` };
  const text = await world.reading.textAt(await world.reading.at(revision), path);
  if (text === undefined) return { kind: 'refused', reason: `there is no file ${path}` };
  const { kind } = trust.verdict(path);
  if (kind !== 'accepted' && kind !== 'not-enforced') return { kind: 'refused', reason: `${path} is ${kind}` };
  return { kind: 'read', text };
}

function entryOf({ name, for: purposes, validFrom, validUntil }: DeclaredEntry, credential: Credential): TrustEntry {
  return { name, credential, purposes, paths: undefined, validFrom, validUntil, place: NOWHERE };
}
