import type { Key } from 'openpgp';

import type { CommitFinding } from '#model/commit-finding.ts';
import { sha256Of } from '#model/digest.ts';
import type { Parsed } from '#model/git-objects.ts';
import { createMemo } from '#model/memo.ts';
import type { EmbeddedSignature } from '#model/signed-object.ts';
import type { Bundles } from '#ports/bundles.ts';
import type { CommitSignatureQuestion, CommitSignatures, KeyringEntry } from '#ports/commit-signatures.ts';
import { chainTo, fingerprintOf, identitiesOf, readRoots } from './certificates.ts';
import { type HeldCms, type Known, type ReadCms, readCms } from './cms.ts';
import { examineGitsign, isKeyless } from './gitsign.ts';
import { readBinary, readCertificate, splitKeyring } from './openpgp-certificate.ts';
import { examineOpenpgp, readSignaturePacket } from './openpgp.ts';

const KEPT = 64;
const FORM = { 'openpgp-key': 'openpgp', 'x509-root': 'x509', keyless: 'x509' } as const;

/** OpenPGP by openpgp.js, CMS and X.509 by PKI.js and node:crypto; both load when first needed, keys are read once per content. */
export function commitSignatures(bundles: () => Promise<Bundles>): CommitSignatures {
  const certificates = createMemo<Promise<Parsed<Key>>>(KEPT);
  const messages = createMemo<Promise<ReadCms>>(KEPT);
  const roots = createMemo<Promise<Parsed<readonly Known[]>>>(KEPT);

  function certificateOf(armoured: string): Promise<Parsed<Key>> {
    const digest = sha256Of(armoured);
    return certificates.get(digest) ?? certificates.set(digest, readCertificate(armoured));
  }

  function rootsOf(pem: string): Promise<Parsed<readonly Known[]>> {
    const digest = sha256Of(pem);
    return roots.get(digest) ?? roots.set(digest, readRoots(pem));
  }

  /** One signature is compared with several roots; reading it is the dearest part. */
  function cmsOf(signature: EmbeddedSignature): Promise<ReadCms> {
    const digest = `${sha256Of(signature.armoured)} ${sha256Of(signature.payload)}`;
    return messages.get(digest) ?? messages.set(digest, readCms(signature));
  }

  async function withCms(signature: EmbeddedSignature, then: (cms: HeldCms) => Promise<CommitFinding>): Promise<CommitFinding> {
    const read = await cmsOf(signature);
    return read.ok ? await then(read.value) : { kind: 'refused', code: read.code, reason: read.reason };
  }

  async function examine({ signature, credential, trustedRoot }: CommitSignatureQuestion): Promise<CommitFinding> {
    if (FORM[credential.kind] !== signature.form) return { kind: 'other-key', key: undefined };
    switch (credential.kind) {
      case 'openpgp-key':
        return openpgp(signature, await certificateOf(credential.armoured));
      case 'x509-root':
        return withCms(signature, async (cms) => chained(cms, await rootsOf(credential.pem)));
      case 'keyless':
        return withCms(signature, async (cms) => examineGitsign(cms, { credential, trustedRoot, bundles: await bundles() }));
    }
  }

  return { examine, keyring };
}

async function openpgp(signature: EmbeddedSignature, certificate: Parsed<Key>): Promise<CommitFinding> {
  if (!certificate.ok) return { kind: 'refused', code: 'malformed-key', reason: `the OpenPGP key cannot be used: ${certificate.reason}` };
  const packet = await readSignaturePacket(signature.armoured);
  if (!packet.ok) return { kind: 'refused', code: 'malformed-signature', reason: packet.reason };
  return await examineOpenpgp(signature, packet.value, certificate.value);
}

function chained(cms: HeldCms, roots: Parsed<readonly Known[]>): CommitFinding {
  if (!roots.ok) return { kind: 'refused', code: 'malformed-key', reason: `the X.509 root cannot be used: ${roots.reason}` };
  if (isKeyless(cms.signer)) {
    const reason = 'a keyless certificate counts only by an issuer, an identity and the entry of a log';
    return { kind: 'refused', code: 'no-log-proof', reason };
  }
  const chain = chainTo(roots.value, cms.pool, cms.signer);
  if (!chain.ok) return { kind: 'refused', code: chain.code, reason: chain.reason };
  const fingerprint = fingerprintOf(cms.signer);
  const { goodFrom, goodBefore } = chain;
  const identities = identitiesOf(cms.signer);
  return {
    kind: 'holds',
    fact: { fingerprint, signedBy: fingerprint, identities, issuer: undefined, goodFrom, goodBefore, provenAt: undefined },
  };
}

async function keyring(bytes: Uint8Array): Promise<Parsed<readonly KeyringEntry[]>> {
  const split = splitKeyring(bytes);
  if (!split.ok) return split;
  const entries: KeyringEntry[] = [];
  for (const one of split.value) {
    const read = await readBinary(one);
    if (!read.ok) return read;
    entries.push({
      credential: { kind: 'openpgp-key', armoured: armoured(one) },
      fingerprint: read.value.getFingerprint().toUpperCase(),
      userId: read.value.getUserIDs()[0],
    });
  }
  return { ok: true, value: entries };
}

function armoured(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PGP PUBLIC KEY BLOCK-----', '', ...lines, '-----END PGP PUBLIC KEY BLOCK-----', ''].join('\n');
}
