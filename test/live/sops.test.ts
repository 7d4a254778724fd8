import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { sealedSecrets } from '#adapters/tools/tools.ts';
import type { SealedDocument } from '#model/sealed.ts';
import { toSecret } from '#model/secret.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import { renderUnit } from '#render/render.ts';
import { unit } from '#test/render/builders.ts';
import { programPath } from '#test/servers/built-programs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-sops-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const CANARY = 'canary: "with quotes"\nand a line, ünd 0644';
const sops = programPath('sops');
const places = { configured: {}, path: dirname(sops) };
const [identity, stranger] = [newIdentity('one'), newIdentity('two')];

interface Identity {
  readonly key: string;
  readonly recipient: string;
}

function newIdentity(name: string): Identity {
  const file = join(scratch, name);
  execFileSync(programPath('age-keygen'), ['-o', file], { stdio: 'ignore' });
  const key = readFileSync(file, 'utf8');
  return { key, recipient: /public key: (age1\S+)/.exec(key)?.[1] ?? '' };
}

/** What a person does: `sops encrypt --age`. */
function encrypted(type: 'yaml' | 'json', values: object, ...more: readonly string[]): string {
  const file = join(scratch, `plain.${type}`);
  writeFileSync(file, JSON.stringify(values));
  const args = ['encrypt', '--age', identity.recipient, ...more, file];
  return execFileSync(sops, args, { encoding: 'utf8', env: { HOME: scratch, SOPS_DISABLE_VERSION_CHECK: 'true' } });
}

function documentOf(type: 'yaml' | 'json', text: string, keys: SealedDocument['keys'] = { token: 'token' }): SealedDocument {
  return { format: 'sops', type, text, keys };
}

async function opened(secrets: SealedSecrets, document: SealedDocument): Promise<unknown> {
  const values = await secrets.open(document);
  return Object.fromEntries([...values].map(([key, value]) => [key, value.reveal()]));
}

const secrets = sealedSecrets(places, toSecret(identity.key));

test.each(['yaml', 'json'] as const)('opens what sops encrypted as %s, to the byte', async (type) => {
  const text = encrypted(type, { token: CANARY, other: 'x', port: 5432, flag: true });

  expect(text).not.toContain('canary');
  expect(await opened(secrets, documentOf(type, text, { token: 'token', number: 'port', yes: 'flag' }))).toEqual({
    token: CANARY,
    number: '5432',
    yes: 'true',
  });
});

test('what it encrypted renders as a sealed Secret', async () => {
  const text = encrypted('yaml', { token: CANARY });
  const yaml = 'components: { web: { kind: Deployment, image: r/x } }\nsecrets: { api: { keys: [token] } }';
  const made = unit(yaml, {
    wishes: { secrets: { api: { provider: 'sops', path: 'secrets/a.yaml' } }, sealed: { 'secrets/a.yaml': { blob: 'a', text } } },
  });

  const result = renderUnit(made);
  const sealed = result.ok ? result.value.objects.flatMap((object) => object.sealed ?? []) : [];

  expect(sealed).toHaveLength(1);
  for (const document of sealed) expect(await opened(secrets, document)).toEqual({ token: CANARY });
});

test('a document that was changed after it was encrypted is refused, whatever was changed', async () => {
  const text = encrypted('json', { token: CANARY, other: 'another' });
  const read = JSON.parse(text) as { token: string; other: string; sops: object };
  const { token: _, ...less } = read;
  const changes = [
    { ...read, token: read.other, other: read.token },
    { ...read, token: read.other },
    { ...read, added: 'in the clear' },
    { ...less, moved: read.token },
  ];

  for (const changed of changes) {
    const document = documentOf('json', JSON.stringify(changed), { token: 'other' });
    await expect(secrets.open(document)).rejects.toThrow(/could not be opened|could not open/);
  }
  expect(await opened(secrets, documentOf('json', text))).toEqual({ token: CANARY });
});

test('a file in which values may stand in the clear is no better for it', async () => {
  const text = encrypted('json', { token: 'hunter2', other: 'x' }, '--encrypted-regex', '^other$');
  const yaml = 'components: { web: { kind: Deployment, image: r/x } }\nsecrets: { api: { keys: [token] } }';
  const made = unit(yaml, {
    wishes: { secrets: { api: { provider: 'sops', path: 'secrets/a.json' } }, sealed: { 'secrets/a.json': { blob: 'a', text } } },
  });

  const result = renderUnit(made);

  expect(result.ok ? [] : result.problems.map((problem) => problem.code)).toEqual(['secret-not-sealed']);
  expect(JSON.stringify(result)).not.toContain('hunter2');
});

test('another key, no key and no program are refusals that say so, without the document', async () => {
  const document = documentOf('yaml', encrypted('yaml', { token: CANARY }));
  const words = async (one: SealedSecrets) =>
    one.open(document).then(
      () => 'opened',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );

  expect(await words(sealedSecrets(places, toSecret(stranger.key)))).toBe(
    'sops could not open an encrypted file: no age key of this machine opens it',
  );
  expect(await words(sealedSecrets(places, undefined))).toBe('the configuration has no sops.ageKey, so no encrypted file can be opened');
  expect(await words(sealedSecrets({ configured: {}, path: '' }, toSecret(identity.key)))).toBe(
    'sops is needed and not here (there is no sops on PATH): install it on PATH, or name it in capstan.yaml under tools.sops',
  );
});
