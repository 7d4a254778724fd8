import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import type { SecretSource } from '#model/rendering.ts';
import { renderUnit } from '#render/render.ts';
import { unit } from '#test/render/builders.ts';

const YAML = `components: { web: { kind: Deployment, image: r/x, env: { TOKEN: { secret: api } } } }
secrets: { api: { keys: [token] } }`;
const VALUE = 'ENC[AES256_GCM,data:Zm9v,iv:YWJj,tag:ZGVm,type:str]';

function encrypted(values: Readonly<Record<string, string>>, metadata: object = {}): string {
  return JSON.stringify({ ...values, sops: { age: [{ recipient: 'age1x', enc: '-' }], mac: VALUE, version: '3.13.3', ...metadata } });
}

function rendered(text: string | undefined, source: Partial<SecretSource> = {}) {
  const sealed = text === undefined ? {} : { sealed: { 'secrets/api.yaml': { blob: 'a', text } } };
  return renderUnit(unit(YAML, { wishes: { secrets: { api: { provider: 'sops', path: 'secrets/api.yaml', ...source } }, ...sealed } }));
}

function problems(text: string | undefined, source: Partial<SecretSource> = {}): readonly string[] {
  const result = rendered(text, source);
  return result.ok ? [] : result.problems.map(({ code, place, message }) => `${code} ${place.pointer} ${message}`);
}

test('an encrypted file is a Secret with placeholders and the digest of the file; the pod reads it', () => {
  const text = encrypted({ token: VALUE });
  const result = rendered(text);
  const objects = result.ok ? result.value.objects : [];

  const secret = objects.find((object) => object.key.kind === 'Secret');
  expect(secret?.object).toMatchObject({
    metadata: { name: 'web-api', namespace: 'acme-prod', annotations: { 'capstan.dev/sealed': `sops sha256:${sha256Of(text)}` } },
    stringData: { token: 'sealed: opened where it is applied' },
    type: 'Opaque',
  });
  expect(secret?.sealed).toEqual({ format: 'sops', type: 'yaml', text, keys: { token: 'token' } });
  expect(secret?.text).not.toContain('ENC[');
  expect(JSON.stringify(objects.find((object) => object.key.kind === 'Deployment')?.object)).toContain(
    '"secretKeyRef":{"key":"token","name":"web-api"}',
  );
});

test('a key of the file may have another name', () => {
  const result = rendered(encrypted({ 'api-token': VALUE }), { key: 'api-token' });

  expect(result.ok && result.value.objects.find((object) => object.sealed !== undefined)?.sealed?.keys).toEqual({ token: 'api-token' });
});

test('another content of the file is another rendering', () => {
  const texts = [encrypted({ token: VALUE }), encrypted({ token: VALUE, other: VALUE })].map((text) => {
    const result = rendered(text);
    return result.ok ? result.value.objects.find((object) => object.sealed !== undefined)?.text : undefined;
  });

  expect(texts[0]).toBeDefined();
  expect(texts[0]).not.toBe(texts[1]);
});

test('a file that is absent, in the clear, elsewhere, for other keys or without the key is a problem where the environment names it', () => {
  const at = 'secret-not-sealed /spec/secrets/web/api the source of secret web/api in prod';
  expect(problems(undefined)).toEqual([`${at} names secrets/api.yaml, which is not there or longer than 1048576 bytes`]);
  expect(problems('token: hunter2\n')).toEqual([`${at} names secrets/api.yaml, which is not encrypted by sops`]);
  expect(problems(encrypted({ token: 'hunter2' }))).toEqual([`${at} has token of secrets/api.yaml in the clear`]);
  expect(problems(encrypted({ other: VALUE }))).toEqual([`${at} needs token of secrets/api.yaml, which has other`]);
  expect(problems(encrypted({ token: VALUE }, { age: [] }))).toEqual([
    `${at} names secrets/api.yaml, whose data key is not wrapped by age`,
  ]);
  expect(problems(encrypted({ token: VALUE }, { hc_vault: [{ vault_address: 'http://10.0.0.1' }] }))).toEqual([
    `${at} names secrets/api.yaml, whose data key is wrapped by hc_vault`,
  ]);
  for (const path of ['../prod/secrets/api.yaml', '/etc/passwd', 'secrets/a/b.yaml', 'secrets/.yaml', 'secrets/api.env']) {
    expect(problems(encrypted({ token: VALUE }), { path })).toEqual([
      `${at} has path ${JSON.stringify(path)}, which is no file of the environment's folder secrets`,
    ]);
  }
});

test('sops finds no other way to a key in letters that it reads as others', () => {
  const at = 'secret-not-sealed /spec/secrets/web/api the source of secret web/api in prod names secrets/api.yaml, in which';
  const vault = { hc_vault: [{ vault_address: 'http://127.0.0.1' }] };

  expect(problems(encrypted({ token: VALUE }, { HC_Vault: vault.hc_vault }))).toEqual([`${at} HC_Vault is nothing that sops writes`]);
  for (const name of ['SOPS', '\u017fops']) {
    const text = JSON.stringify({ ...(JSON.parse(encrypted({ token: VALUE })) as object), [name]: vault });
    expect(problems(text)).toHaveLength(1);
  }
  expect(problems(encrypted({ token: VALUE }, { lastmodified: 'x', encrypted_regex: '^a', kms: null, shamir_threshold: 1 }))).toEqual([]);
});

test('no problem repeats a value that stood in the clear', () => {
  for (const text of ['token: hunter2\n', encrypted({ token: 'hunter2' }), 'hunter2', 'a: [hunter2', encrypted({ other: 'hunter2' })]) {
    const result = rendered(text);
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain('hunter2');
  }
});

test('a patch that writes a value into a sealed Secret is refused like any other value', () => {
  const patches = [{ target: { kind: 'Secret' }, ops: [{ op: 'add' as const, path: '/stringData/token', value: 'hunter2' }] }];
  const sealed = { 'secrets/api.yaml': { blob: 'a', text: encrypted({ token: VALUE }) } };
  const result = renderUnit(unit(YAML, { wishes: { secrets: { api: { provider: 'sops', path: 'secrets/api.yaml' } }, sealed, patches } }));

  expect(result.ok ? [] : result.problems.map((problem) => problem.code)).toEqual(['rendered-secret']);
});
