import { generateKeyPairSync, sign } from 'node:crypto';
import { cpuUsage } from 'node:process';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { IMAGE_SIGNATURE } from '#model/signature-finding.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { ADA, authorities, ISSUER, jsonBytes, sha256, signedEnvelope, statementAbout } from '#test/sigstore-authorities.ts';

/** Verifications of signatures of images, offline and by digest, as a run of many images makes them. */
export interface BundleFigures {
  readonly verifications: number;
  /** Milliseconds per signature, on the clock and of processors. */
  readonly keyless: { readonly wall: number; readonly cpu: number };
  readonly byKey: { readonly wall: number; readonly cpu: number };
}

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** So many are made; nothing about one bundle is remembered, so verifying it again costs the same. */
const DIFFERENT = 100;

export async function measureBundles(verifications: number): Promise<BundleFigures> {
  const acme = await authorities();
  const trustedRoot = jsonBytes(acme.root);
  const bundles = sigstoreBundles();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = { publicKeyPem: pem, sign: async (bytes: Uint8Array) => sign('sha256', bytes, privateKey) };
  const keyless: BundleQuestion[] = [];
  const byKey: BundleQuestion[] = [];
  for (let index = 0; index < Math.min(DIFFERENT, verifications); index += 1) {
    const image = Buffer.from(`image ${index}`);
    const subject = { kind: 'digest', algorithm: 'sha256', hex: sha256(image).toString('hex') } as const;
    const payload = statementAbout(image, { predicateType: IMAGE_SIGNATURE, predicate: {} });
    const { bundle } = await signedEnvelope(acme, payload);
    keyless.push({
      bundle: jsonBytes(bundle),
      subject,
      credentials: [{ kind: 'keyless', issuer: ISSUER, identity: { kind: 'exact', identity: ADA } }],
      trustedRoot,
    });
    byKey.push({
      bundle: await bundles.sign({ payloadType: PAYLOAD_TYPE, payload, key }),
      subject,
      credentials: [{ kind: 'public-key', pem }],
      trustedRoot: undefined,
    });
  }
  const timed = (questions: readonly BundleQuestion[]) => {
    const [began, used] = [performance.now(), cpuUsage()];
    for (let index = 0; index < verifications; index += 1) {
      const question = questions[index % questions.length];
      const finding = question === undefined ? undefined : bundles.verify(question);
      if (finding?.kind !== 'verified') throw new Error(`a good signature was not accepted: ${finding?.reason ?? 'nothing was asked'}`);
    }
    const { user, system } = cpuUsage(used);
    return { wall: (performance.now() - began) / verifications, cpu: (user + system) / 1000 / verifications };
  };
  return { verifications, keyless: timed(keyless), byKey: timed(byKey) };
}
