import { expect, test } from 'vitest';

import { isPinnedImage, parseImageReference, parseImageRepository } from '#model/image.ts';

const HEX = 'a'.repeat(64);

test.each([
  ['nginx', { registry: 'docker.io', name: 'library/nginx', tag: undefined, digest: undefined }],
  ['nginx:1.27', { registry: 'docker.io', name: 'library/nginx', tag: '1.27', digest: undefined }],
  ['acme/web', { registry: 'docker.io', name: 'acme/web', tag: undefined, digest: undefined }],
  ['docker.io/nginx', { registry: 'docker.io', name: 'library/nginx', tag: undefined, digest: undefined }],
  ['index.docker.io/acme/web', { registry: 'docker.io', name: 'acme/web', tag: undefined, digest: undefined }],
  [`ghcr.io/acme/web@sha256:${HEX}`, { registry: 'ghcr.io', name: 'acme/web', tag: undefined, digest: `sha256:${HEX}` }],
  [`ghcr.io/acme/web:v1@sha256:${HEX}`, { registry: 'ghcr.io', name: 'acme/web', tag: 'v1', digest: `sha256:${HEX}` }],
  ['localhost/a', { registry: 'localhost', name: 'a', tag: undefined, digest: undefined }],
  ['127.0.0.1:5000/a/b/c:x', { registry: '127.0.0.1:5000', name: 'a/b/c', tag: 'x', digest: undefined }],
  ['[::1]:5000/a', { registry: '[::1]:5000', name: 'a', tag: undefined, digest: undefined }],
  ['Registry.Acme.Example/a__b--c.d', { registry: 'registry.acme.example', name: 'a__b--c.d', tag: undefined, digest: undefined }],
])('%s is read with everything spelled out', (text, reference) => {
  expect(parseImageReference(text)).toEqual(reference);
});

test.each([
  [''],
  ['/a'],
  ['ghcr.io/'],
  ['ghcr.io/A'],
  ['ghcr.io/a//b'],
  ['ghcr.io/../a'],
  ['ghcr.io/a/..'],
  ['ghcr.io/a..b'],
  ['ghcr.io/a___b'],
  ['ghcr.io/-a'],
  ['ghcr.io/a?x'],
  ['ghcr.io/a b'],
  ['ghcr.io/a\n'],
  ['user@ghcr.io/a'],
  ['https://ghcr.io/a'],
  ['ghcr.io:99999/a'],
  ['ghcr.io:05000/a'],
  ['ghcr.io:0/a'],
  ['-ghcr.io/a'],
  ['0177.0.0.1/a'],
  ['2130706433:80/a'],
  ['0x7f.1/a'],
  ['999.1.1.1/a'],
  ['[..]/a'],
  ['[0:0::1]/a'],
  ['xn--ls8h.la./a'],
  [`ghcr.io/a@sha256:${'A'.repeat(64)}`],
  [`ghcr.io/a@sha256:${'a'.repeat(63)}`],
  [`ghcr.io/a@md5:${'a'.repeat(32)}`],
  [`ghcr.io/a@sha256:${HEX}@sha256:${HEX}`],
  ['ghcr.io/a:'],
  ['ghcr.io/a:-x'],
  [`ghcr.io/a:${'x'.repeat(129)}`],
  [`ghcr.io/${'a'.repeat(300)}`],
  [`ghcr.io/${'a'.repeat(600)}`],
])('%j is no reference', (text) => {
  expect(parseImageReference(text)).toEqual({ wrong: expect.any(String) });
});

test('a name that would take long to refuse is refused at once', () => {
  const began = performance.now();

  for (const text of [`a/${'a-'.repeat(120)}!`, `a/${'a'.repeat(250)}!`, `${'a.'.repeat(120)}!/a`])
    expect('wrong' in parseImageReference(text)).toBe(true);

  expect(performance.now() - began).toBeLessThan(100);
});

test('a repository has neither tag nor digest', () => {
  expect(parseImageRepository('ghcr.io/acme/web')).toEqual({ registry: 'ghcr.io', name: 'acme/web' });
  expect(parseImageRepository('ghcr.io/acme/web:v1')).toEqual({ wrong: expect.any(String) });
  expect(isPinnedImage(`ghcr.io/acme/web@sha256:${HEX}`)).toBe(true);
});
