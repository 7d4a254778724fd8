import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseChallenge } from '#adapters/oci/challenge.ts';
import { parseImageReference } from '#model/image.ts';
import { legacyBundle } from '#model/legacy-bundle.ts';
import { MANIFEST_MEDIA_TYPES, OCI_IMAGE, OCI_INDEX, parseOciManifest } from '#model/oci-manifest.ts';
import { parseSimpleSigning } from '#model/simple-signing.ts';

const host = fc.oneof(
  fc.constantFrom('localhost', '127.0.0.1:5000', '[::1]:80', 'ghcr.io'),
  fc.domain().map((name) => name.toLowerCase()),
);
const part = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
const descriptor = fc.record({ mediaType: fc.constantFrom(OCI_IMAGE, 'text/plain'), digest, size: fc.nat() });

test('a reference that is spelled out is read as it stands', () => {
  fc.assert(
    fc.property(host, fc.array(part, { minLength: 1, maxLength: 4 }), digest, (registry, parts, hash) => {
      fc.pre(registry !== 'docker.io' && /[.:[]|^localhost$/.test(registry));
      const name = parts.join('/');

      expect(parseImageReference(`${registry}/${name}@${hash}`)).toEqual({ registry, name, tag: undefined, digest: hash });
    }),
  );
});

test('whatever is read as a reference is safe as a path of a request', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.stringMatching(/^[a-z0-9./:@_-]{0,60}$/)), (text) => {
      const read = parseImageReference(text);
      if ('wrong' in read) return;
      expect(read.name).toMatch(/^[a-z0-9._/-]+$/);
      expect(read.name.split('/')).not.toContain('..');
      expect(URL.canParse(`https://${read.registry}/v2/${read.name}/manifests/x`)).toBe(true);
      expect(new URL(`https://${read.registry}/v2/${read.name}/manifests/x`).pathname).toBe(`/v2/${read.name}/manifests/x`);
    }),
  );
});

test('a manifest that was written is read again', () => {
  fc.assert(
    fc.property(descriptor, fc.array(descriptor, { maxLength: 5 }), (config, layers) => {
      const image = parseOciManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE, config, layers })), OCI_IMAGE);
      const index = parseOciManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: layers })), OCI_INDEX);

      expect(image).toMatchObject({ kind: 'image', config, layers });
      expect(index).toMatchObject({ kind: 'index', manifests: layers });
    }),
  );
});

test('nothing that a registry may send makes a reader throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .json()
      .map((text) =>
        Buffer.from(`{"schemaVersion":2,"config":${text},"layers":${text},"manifests":${text},"critical":${text},"signatures":${text}}`),
      ),
    fc
      .json()
      .map((text) =>
        Buffer.from(`{"schemaVersion":2,"manifests":[${text}],"critical":{"type":"cosign container image signature","image":${text}}}`),
      ),
  );
  fc.assert(
    fc.property(
      bytes,
      fc.constantFrom(...MANIFEST_MEDIA_TYPES, '', 'text/html'),
      fc.dictionary(fc.string(), fc.string()),
      (content, mediaType, annotations) => {
        expect(parseOciManifest(content, mediaType)).toBeTypeOf('object');
        expect(parseSimpleSigning(content)).toBeTypeOf('object');
        for (const kind of ['signature', 'attestation'] as const)
          expect(
            legacyBundle({
              kind,
              bytes: content,
              annotations: { ...annotations, 'dev.sigstore.cosign/bundle': Buffer.from(content).toString('latin1') },
            }),
          ).toBeTypeOf('object');
      },
    ),
  );
});

test('a challenge is read in little time, whatever it says', () => {
  const began = performance.now();
  for (const text of [
    'bearer '.repeat(1100),
    `bearer ${'a='.repeat(4000)}`,
    `bearer realm="${'\\'.repeat(8000)}`,
    `bearer${' '.repeat(8000)}x`,
    ','.repeat(8000),
    `bearer ${'a'.repeat(8000)}`,
  ])
    parseChallenge(text);

  expect(performance.now() - began).toBeLessThan(500);
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const read = parseChallenge(`Bearer realm="https://a.example/t",${text}`);
      expect(['bearer', 'basic', undefined]).toContain(read?.kind);
    }),
  );
  expect(parseChallenge('Basic realm="x", Bearer realm="https://a.example/t",service="s"')).toEqual({
    kind: 'bearer',
    realm: 'https://a.example/t',
    service: 's',
  });
  expect(parseChallenge(['Negotiate', 'basic realm=x'])).toEqual({ kind: 'basic' });
  expect(parseChallenge('Digest realm="x"')).toBe(undefined);
});
