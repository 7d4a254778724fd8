import { expect, test } from 'vitest';

import { OCI_IMAGE, OCI_INDEX, parseOciManifest } from '#model/oci-manifest.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const CONFIG = { mediaType: 'application/vnd.oci.empty.v1+json', digest: DIGEST, size: 2 };
const IMAGE = { schemaVersion: 2, mediaType: OCI_IMAGE, config: CONFIG, layers: [] };

function read(value: unknown, mediaType: string = OCI_IMAGE): ReturnType<typeof parseOciManifest> {
  return parseOciManifest(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), mediaType);
}

test('an image says what it is, or its config does', () => {
  const annotations = { a: 'b' };
  const subject = { mediaType: OCI_IMAGE, digest: DIGEST, size: 7 };

  expect(read({ ...IMAGE, annotations, subject })).toEqual({
    kind: 'image',
    mediaType: OCI_IMAGE,
    artifactType: CONFIG.mediaType,
    config: CONFIG,
    layers: [],
    subject,
    annotations,
  });
  expect(read({ ...IMAGE, artifactType: 'application/x.sig' })).toMatchObject({ artifactType: 'application/x.sig' });
});

test('an index lists manifests, also where Go wrote null for none, and Docker is read like OCI', () => {
  expect(read({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: null }, OCI_INDEX)).toMatchObject({ kind: 'index', manifests: [] });
  const docker = 'application/vnd.docker.distribution.manifest.v2+json';
  expect(read({ ...IMAGE, mediaType: docker }, docker)).toMatchObject({ kind: 'image', mediaType: docker });
  expect(read({ ...IMAGE, mediaType: undefined })).toMatchObject({ kind: 'image' });
});

test.each([
  ['no JSON', '{', OCI_IMAGE],
  ['a list', [], OCI_IMAGE],
  ['not UTF-8', '\u{dc00}', OCI_IMAGE],
  ['another schema', { ...IMAGE, schemaVersion: 1 }, OCI_IMAGE],
  ['another type than the transport said', IMAGE, OCI_INDEX],
  ['a type that is no manifest', { ...IMAGE, mediaType: 'text/plain' }, 'text/plain'],
  ['an image and an index at once', { ...IMAGE, manifests: [] }, OCI_IMAGE],
  ['an index with layers', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], layers: [] }, OCI_INDEX],
  ['no config', { ...IMAGE, config: undefined }, OCI_IMAGE],
  ['a layer without digest', { ...IMAGE, layers: [{ mediaType: 'x', size: 1 }] }, OCI_IMAGE],
  ['a layer of another digest', { ...IMAGE, layers: [{ ...CONFIG, digest: `sha512:${'a'.repeat(128)}` }] }, OCI_IMAGE],
  ['a negative size', { ...IMAGE, layers: [{ ...CONFIG, size: -1 }] }, OCI_IMAGE],
  ['a size that no number holds', { ...IMAGE, layers: [{ ...CONFIG, size: 1e300 }] }, OCI_IMAGE],
  ['a subject that is none', { ...IMAGE, subject: 'x' }, OCI_IMAGE],
  ['annotations that are no texts', { ...IMAGE, annotations: { a: 1 } }, OCI_IMAGE],
  ['too many annotations', { ...IMAGE, annotations: Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, ''])) }, OCI_IMAGE],
  ['too many layers', { ...IMAGE, layers: Array.from({ length: 5000 }, () => CONFIG) }, OCI_IMAGE],
  [
    'a key that reaches into prototypes',
    `{"schemaVersion":2,"config":${JSON.stringify(CONFIG)},"layers":[],"annotations":{"__proto__":"x"}}`,
    OCI_IMAGE,
  ],
  ['a hundred thousand levels', `{"schemaVersion":2,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, OCI_IMAGE],
])('%s is refused', (_name, value, mediaType) => {
  expect(read(value, mediaType)).toEqual({ wrong: expect.any(String) });
});
