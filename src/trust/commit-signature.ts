import { commitHeaders } from '#model/git-commit.ts';
import type { Commit } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import { sshFingerprint, sshPublicKeyText } from '#model/ssh-key.ts';
import { parseSshSignature, verifySshSignature } from '#model/ssh-signature.ts';
import type { AllowedSigner, SignatureVerdict, TrustPurpose } from '#model/verdict.ts';
import { isInWindow } from './signers.ts';

interface Judged {
  readonly signers: readonly AllowedSigner[];
  /** One of these suffices. */
  readonly purposes: readonly TrustPurpose[];
  readonly firstSeen: Instant;
}

/** Stricter than `git verify-commit`: see the clarifications on trust. The author's name and dates play no part. */
export function judgeSignature(commit: Commit, { signers, purposes, firstSeen }: Judged): SignatureVerdict {
  const short = commit.id.slice(0, 10);
  const found = signatureOf(commit);
  if (found === undefined) return { kind: 'unsigned', commit: commit.id, sentence: `commit ${short} is not signed` };
  if (!found.ok) return refusal(commit, found.code, found.reason);
  const read = parseSshSignature(found.armoured);
  if (!read.ok) return refusal(commit, read.code, read.reason);
  const fingerprint = sshFingerprint(read.value.publicKey.blob);
  const text = sshPublicKeyText(read.value.publicKey);
  const owners = signers.filter((signer) => signer.sshKey === text);
  const [first] = owners;
  if (first === undefined) return refusal(commit, 'unknown-key', `no trust entry names the key ${fingerprint} that signed it`);
  if (!verifySshSignature(read.value, found.payload)) return refusal(commit, 'bad-signature', 'the signature does not fit its bytes');
  const meant = owners.filter((signer) => signer.purposes.some((purpose) => purposes.includes(purpose)));
  if (meant.length === 0) return refusal(commit, 'wrong-purpose', `${first.name} may not sign for ${purposes.join(' or ')}`);
  const signer = meant.find((owner) => isInWindow(owner, firstSeen));
  if (signer === undefined) return refusal(commit, 'outside-window', `the key of ${first.name} was not valid when it was first seen`);
  return { kind: 'accepted', commit: commit.id, signer: signer.name, fingerprint, sentence: `commit ${short} is signed by ${signer.name}` };
}

type FoundSignature =
  | { readonly ok: true; readonly armoured: string; readonly payload: Uint8Array }
  | { readonly ok: false; readonly code: string; readonly reason: string }
  | undefined;

/** The one signature header, and the bytes it is about: everything else. */
function signatureOf(commit: Commit): FoundSignature {
  const headers = commitHeaders(commit.raw);
  if (!headers.ok) return { ok: false, code: 'malformed-commit', reason: headers.reason };
  const signatures = headers.value.filter((header) => header.name.startsWith('gpgsig'));
  const [header] = signatures;
  if (header === undefined) return undefined;
  if (signatures.length > 1) return { ok: false, code: 'several-signatures', reason: 'it has more than one signature header' };
  if (header.name !== 'gpgsig' || !header.value.startsWith('-----BEGIN SSH SIGNATURE-----')) {
    return { ok: false, code: 'unsupported-signature', reason: 'its signature is not an SSH signature' };
  }
  const payload = Buffer.concat([commit.raw.subarray(0, header.start), commit.raw.subarray(header.end)]);
  return { ok: true, armoured: header.value, payload };
}

function refusal(commit: Commit, code: string, reason: string): SignatureVerdict {
  return {
    kind: 'refused',
    commit: commit.id,
    code,
    sentence: `the signature of commit ${commit.id.slice(0, 10)} does not count: ${reason}`,
  };
}
