import { beforeAll, describe, expect, test } from 'vitest';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { findImageSignatures } from '#loops/image-findings.ts';
import type { ImageQuestion } from '#loops/image-findings.ts';
import { verifyImage } from '#loops/verify-image.ts';
import type { AskedOfImage } from '#model/image-verdict.ts';
import { toInstant } from '#model/instant.ts';
import { OCI_IMAGE } from '#model/oci-manifest.ts';
import { IMAGE_SIGNATURE } from '#model/signature-finding.ts';
import type { SignatureFinding } from '#model/signature-finding.ts';
import { PortError } from '#ports/port-error.ts';
import type { Descriptor, Registry } from '#ports/registry.ts';
import { memoryRegistry, registryState } from '#test/contracts/memory-registry.ts';
import { EMPTY_CONFIG, pushImage } from '#test/contracts/registry.contract.ts';
import { ADA, authorities, ISSUER, jsonBytes, pemOf, signedEnvelope, signedMessage } from '#test/sigstore-authorities.ts';
import type { Authorities, Loose } from '#test/sigstore-authorities.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const REPOSITORY = { registry: 'registry.acme.example', name: 'acme/web' };
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const CLOCK = { now: () => toInstant(0) };
const bundles = sigstoreBundles();

let acme: Authorities;
beforeAll(async () => {
  acme = await authorities();
});

function question(digest: string, more: Partial<ImageQuestion> = {}): ImageQuestion {
  return {
    repository: REPOSITORY,
    digest,
    credentials: [{ kind: 'keyless', issuer: ISSUER, identity: { kind: 'exact', identity: ADA } }],
    trustedRoot: jsonBytes(acme.root),
    isLegacyAllowed: false,
    ...more,
  };
}

function asked(more: Partial<AskedOfImage> = {}): Omit<AskedOfImage, 'digest'> {
  return { predicateType: IMAGE_SIGNATURE, annotations: new Map(), repository: undefined, ...more };
}

function statement(digest: string, more: object = {}): Buffer {
  const subject = [{ digest: { sha256: digest.slice(7) }, annotations: { team: 'web' } }];
  return jsonBytes({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: IMAGE_SIGNATURE, predicate: {}, ...more });
}

async function world(): Promise<{ readonly registry: Registry; readonly image: Descriptor }> {
  const registry = memoryRegistry({ state: registryState() });
  return { registry, image: await pushImage(registry, REPOSITORY, 'web') };
}

async function pushBundle(registry: Registry, subject: Descriptor, bundle: Loose): Promise<void> {
  const config = await registry.pushBlob(REPOSITORY, Buffer.from('{}'));
  const layer = await registry.pushBlob(REPOSITORY, jsonBytes(bundle));
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    artifactType: BUNDLE,
    config: { ...config, mediaType: EMPTY_CONFIG },
    layers: [{ ...layer, mediaType: BUNDLE }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
  };
  await registry.pushManifest(REPOSITORY, jsonBytes(manifest), OCI_IMAGE);
}

interface OldLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

async function pushOld(registry: Registry, tag: string, layers: readonly OldLayer[]): Promise<void> {
  const config = await registry.pushBlob(REPOSITORY, Buffer.from('{}'));
  const listed = [];
  for (const { mediaType, bytes, annotations } of layers)
    listed.push({ ...(await registry.pushBlob(REPOSITORY, bytes)), mediaType, annotations });
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    config: { ...config, mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: listed,
  };
  await registry.pushManifest(REPOSITORY, jsonBytes(manifest), OCI_IMAGE, tag);
}

/** What cosign 2 writes beside a keyless signature. */
function oldAnnotations({ bundle, certificate }: { readonly bundle: Loose; readonly certificate: Buffer }): Record<string, string> {
  const [entry] = bundle.verificationMaterial.tlogEntries;
  const payload = {
    body: entry.canonicalizedBody,
    integratedTime: Number(entry.integratedTime),
    logIndex: Number(entry.logIndex),
    logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
  };
  return {
    'dev.cosignproject.cosign/signature': bundle.messageSignature?.signature ?? '',
    'dev.sigstore.cosign/certificate': pemOf(certificate),
    'dev.sigstore.cosign/chain': pemOf(Buffer.from(acme.root.certificateAuthorities[0].certChain.certificates[0].rawBytes, 'base64')),
    'dev.sigstore.cosign/bundle': JSON.stringify({ SignedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp, Payload: payload }),
  };
}

function simpleSigning(digest: string, more: object = {}): Buffer {
  const identity = { 'docker-reference': 'registry.acme.example/acme/web' };
  const critical = { identity, image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature', ...more };
  return jsonBytes({ critical, optional: { team: 'web', built: 7 } });
}

const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json';

function codes(findings: readonly SignatureFinding[]): readonly string[] {
  return findings.map((finding) => (finding.kind === 'verified' ? 'verified' : finding.code));
}

describe('keyless signatures of images', () => {
  test('are found among the referrers, and one that counts is enough', async () => {
    const { registry, image } = await world();
    const other = await signedEnvelope(acme, statement(image.digest), { identity: 'https://eve.example' });
    const good = await signedEnvelope(acme, statement(image.digest));
    for (const { bundle } of [other, good]) await pushBundle(registry, image, bundle);

    const verdict = await verifyImage(
      { registry, bundles, clock: CLOCK },
      question(image.digest),
      asked({ annotations: new Map([['team', 'web']]) }),
    );

    expect(verdict).toMatchObject({ kind: 'accepted', sentence: `it is signed by ${ADA} (vouched for by ${ISSUER})` });
  });

  test('of nobody who is trusted are refused by name', async () => {
    const { registry, image } = await world();
    const { bundle } = await signedEnvelope(acme, statement(image.digest), { identity: 'https://eve.example' });
    await pushBundle(registry, image, bundle);

    const verdict = await verifyImage({ registry, bundles, clock: CLOCK }, question(image.digest), asked());

    expect(verdict).toMatchObject({ kind: 'refused', code: 'wrong-identity', sentence: expect.stringContaining('https://eve.example') });
  });

  test('row 61: that are right are refused with different words for each thing that was not asked for', async () => {
    const { registry, image } = await world();
    const elsewhere = await pushImage(registry, REPOSITORY, 'elsewhere');
    const { bundle } = await signedEnvelope(acme, statement(image.digest, { predicateType: PROVENANCE }));
    await pushBundle(registry, image, bundle);
    await pushBundle(registry, elsewhere, bundle);
    const ports = { registry, bundles, clock: CLOCK };
    const code = async (digest: string, more: Partial<AskedOfImage>): Promise<string> => {
      const verdict = await verifyImage(ports, question(digest), asked(more));
      return verdict.kind === 'refused' ? verdict.code : verdict.kind;
    };

    expect([
      await code(image.digest, { predicateType: PROVENANCE }),
      await code(image.digest, {}),
      await code(elsewhere.digest, { predicateType: PROVENANCE }),
      await code(image.digest, { predicateType: PROVENANCE, annotations: new Map([['team', 'api']]) }),
      await code(image.digest, { predicateType: PROVENANCE, annotations: new Map([['constructor', 'x']]) }),
      await code(image.digest, { predicateType: PROVENANCE, repository: 'registry.acme.example/acme/web' }),
      await code((await pushImage(registry, REPOSITORY, 'bare')).digest, {}),
      await code(`sha256:${'0'.repeat(64)}`, {}),
    ]).toEqual([
      'accepted',
      'wrong-predicate',
      'wrong-digest',
      'wrong-annotation',
      'wrong-annotation',
      'wrong-repository',
      'unsigned',
      'missing',
    ]);
  });

  test('row 68: of a multi-arch image the index counts, and of a child the child', async () => {
    const { registry, image: child } = await world();
    const { mediaType, digest, size } = child;
    const indexType = 'application/vnd.oci.image.index.v1+json';
    const index = await registry.pushManifest(
      REPOSITORY,
      jsonBytes({ schemaVersion: 2, mediaType: indexType, manifests: [{ mediaType, digest, size }] }),
      indexType,
    );
    const { bundle } = await signedEnvelope(acme, statement(index.digest));
    await pushBundle(registry, index, bundle);

    const verdicts = [
      await verifyImage({ registry, bundles, clock: CLOCK }, question(index.digest), asked()),
      await verifyImage({ registry, bundles, clock: CLOCK }, question(child.digest), asked()),
    ];

    expect(verdicts).toMatchObject([{ kind: 'accepted' }, { kind: 'refused', code: 'unsigned' }]);
  });
});

describe('signatures of the older format', () => {
  test('with a certificate are judged by the same verifier as bundles', async () => {
    const { registry, image } = await world();
    const payload = simpleSigning(image.digest);
    const signed = await signedMessage(acme, payload);
    await pushOld(registry, `${image.digest.replace(':', '-')}.sig`, [
      { mediaType: SIMPLE, bytes: payload, annotations: oldAnnotations(signed) },
    ]);
    const ports = { registry, bundles, clock: CLOCK };

    const allowed = question(image.digest, { isLegacyAllowed: true });
    const verdict = await verifyImage(
      ports,
      allowed,
      asked({ annotations: new Map([['team', 'web']]), repository: 'registry.acme.example/acme/web' }),
    );
    const elsewhere = await verifyImage(ports, allowed, asked({ repository: 'registry.acme.example/acme/copy' }));
    const refused = await verifyImage(ports, question(image.digest), asked());

    expect(verdict).toMatchObject({
      kind: 'accepted',
      facts: [
        {
          predicateType: IMAGE_SIGNATURE,
          signer: { kind: 'keyless', issuer: ISSUER, identity: ADA },
          annotations: { team: 'web' },
          seenBy: ['https://log.acme.example'],
        },
      ],
    });
    expect(elsewhere).toMatchObject({ kind: 'refused', code: 'wrong-repository' });
    expect(refused).toMatchObject({ kind: 'refused', code: 'legacy-signature' });
  });

  test('are refused for what is wrong with them, each by its name', async () => {
    const { registry, image } = await world();
    const other = `sha256:${'1'.repeat(64)}`;
    const payload = simpleSigning(image.digest);
    const signed = await signedMessage(acme, payload);
    const annotations = oldAnnotations(signed);
    const of = async (bytes: Buffer): Promise<OldLayer> => ({
      mediaType: SIMPLE,
      bytes,
      annotations: oldAnnotations(await signedMessage(acme, bytes)),
    });
    await pushOld(registry, `${image.digest.replace(':', '-')}.sig`, [
      await of(simpleSigning(other)),
      await of(simpleSigning(image.digest, { type: 'atomic container signature' })),
      await of(jsonBytes(['no', 'payload'])),
      { mediaType: SIMPLE, bytes: Buffer.concat([payload, Buffer.from(' ')]), annotations },
      { mediaType: SIMPLE, bytes: payload, annotations: { ...annotations, 'dev.sigstore.cosign/bundle': '' } },
      { mediaType: SIMPLE, bytes: payload, annotations: { ...annotations, 'dev.sigstore.cosign/bundle': '{"Payload":{"body":7}}' } },
      { mediaType: SIMPLE, bytes: payload, annotations: { ...annotations, 'dev.sigstore.cosign/certificate': 'none' } },
      { mediaType: SIMPLE, bytes: payload, annotations: {} },
      { mediaType: 'text/plain', bytes: payload, annotations },
    ]);

    const { findings, isCut } = await findImageSignatures(
      { registry, bundles, clock: CLOCK },
      question(image.digest, { isLegacyAllowed: true }),
    );

    expect(codes(findings)).toEqual([
      'wrong-digest',
      'wrong-predicate',
      'wrong-predicate',
      'bad-signature',
      'malformed-bundle',
      'malformed-bundle',
      'malformed-bundle',
      'malformed-bundle',
    ]);
    expect(isCut).toBe(false);
  });

  test('attestations below the other tag are read, too', async () => {
    const { registry, image } = await world();
    const signed = await signedEnvelope(acme, statement(image.digest, { predicateType: PROVENANCE }));
    const envelope = signed.bundle.dsseEnvelope;
    await pushOld(registry, `${image.digest.replace(':', '-')}.att`, [
      { mediaType: 'application/vnd.dsse.envelope.v1+json', bytes: jsonBytes(envelope), annotations: oldAnnotations(signed) },
      { mediaType: 'application/vnd.dsse.envelope.v1+json', bytes: Buffer.from('{}'), annotations: oldAnnotations(signed) },
    ]);

    const allowed = question(image.digest, { isLegacyAllowed: true });
    const found = await findImageSignatures({ registry, bundles, clock: CLOCK }, allowed);

    expect(codes(found.findings)).toEqual(['verified', 'malformed-bundle']);
    expect(await verifyImage({ registry, bundles, clock: CLOCK }, allowed, asked({ predicateType: PROVENANCE }))).toMatchObject({
      kind: 'accepted',
    });
  });
});

describe('what cannot be read', () => {
  test('one signature that is listed and gone leaves the others, and is never taken for none', async () => {
    const { registry, image } = await world();
    const { bundle } = await signedEnvelope(acme, statement(image.digest));
    await pushBundle(registry, image, bundle);
    const gone: Descriptor = { mediaType: OCI_IMAGE, digest: `sha256:${'2'.repeat(64)}`, size: 3, artifactType: BUNDLE };
    const lists = (first: boolean): Registry => ({
      ...registry,
      referrers: async (...args) => {
        const listed = await registry.referrers(...args);
        return { ...listed, descriptors: first ? [gone, ...listed.descriptors] : [gone] };
      },
    });

    expect(await verifyImage({ registry: lists(true), bundles, clock: CLOCK }, question(image.digest), asked())).toMatchObject({
      kind: 'accepted',
    });
    expect(await verifyImage({ registry: lists(false), bundles, clock: CLOCK }, question(image.digest), asked())).toMatchObject({
      kind: 'refused',
      code: 'could-not-look',
    });
  });

  test('row 67: a registry that takes its time for each signature does not get it for all of them', async () => {
    const { registry, image } = await world();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const { bundle } = await signedEnvelope(acme, statement(image.digest), { identity: `https://${name}.example` });
      await pushBundle(registry, image, bundle);
    }
    let now = 0;
    const blobs: string[] = [];
    const slow: Registry = {
      ...registry,
      blob: async (repository, digest, limit) => {
        now += 25_000;
        blobs.push(digest);
        return registry.blob(repository, digest, limit);
      },
    };

    const found = await findImageSignatures({ registry: slow, bundles, clock: { now: () => toInstant(now) } }, question(image.digest));

    expect(codes(found.findings)).toEqual(['wrong-identity', 'wrong-identity', 'wrong-identity', 'could-not-look']);
    expect(blobs).toHaveLength(3);
  });

  test('one that is no manifest at all leaves the others, too', async () => {
    const { registry, image } = await world();
    const { bundle } = await signedEnvelope(acme, statement(image.digest));
    await pushBundle(registry, image, bundle);
    const junk: Descriptor = { mediaType: OCI_IMAGE, digest: `sha256:${'3'.repeat(64)}`, size: 2, artifactType: BUNDLE };
    const lists: Registry = {
      ...registry,
      manifest: async (repository, digest) =>
        digest === junk.digest ? { bytes: Buffer.from('[]'), descriptor: junk } : await registry.manifest(repository, digest),
      referrers: async (...args) => ({
        ...(await registry.referrers(...args)),
        descriptors: [junk, ...(await registry.referrers(...args)).descriptors],
      }),
    };

    expect(await verifyImage({ registry: lists, bundles, clock: CLOCK }, question(image.digest), asked())).toMatchObject({
      kind: 'accepted',
    });
  });

  test('a registry that is away leaves no verdict, and a defect is not hidden in one', async () => {
    const { image, registry } = await world();
    const broken: Registry = { ...registry, referrers: () => Promise.reject(new Error('a defect')) };
    const away: Registry = { ...registry, referrers: () => Promise.reject(new PortError('transient', 'the registry was too slow')) };

    await expect(verifyImage({ registry: broken, bundles, clock: CLOCK }, question(image.digest), asked())).rejects.toThrow('a defect');
    expect(await verifyImage({ registry: away, bundles, clock: CLOCK }, question(image.digest), asked())).toEqual({
      kind: 'refused',
      code: 'could-not-look',
      sentence: 'the registry was too slow',
    });
  });
});
