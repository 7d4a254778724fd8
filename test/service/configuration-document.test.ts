import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import schema from '#schemas/configuration.schema.json' with { type: 'json' };
import { readConfiguration } from '#service/configuration.ts';

const DOCUMENT = new URL('../../docs/configuration.md', import.meta.url);

type Node = { readonly [key: string]: unknown };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every leaf of the schema as `a.b.*.c`; a secret and a list are leaves. */
function fieldsOf(node: Node, path: string): readonly string[] {
  if (isNode(node['properties'])) {
    return Object.entries(node['properties']).flatMap(([key, value]) =>
      isNode(value) ? fieldsOf(value, path === '' ? key : `${path}.${key}`) : [],
    );
  }
  if (isNode(node['additionalProperties'])) return fieldsOf(node['additionalProperties'], `${path}.*`);
  if (isNode(node['items']) && isNode(node['items']['properties'])) return fieldsOf(node['items'], `${path}.*`);
  return [path];
}

test('the document has every field of the configuration, and no other', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  const [, fields = ''] = text.split('\n## Fields\n');
  const [table = ''] = fields.split('\n## ');
  const documented = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(new Set(documented)).toEqual(new Set(fieldsOf(schema, '')));
});

test('the document has every environment variable with its field', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  const documented = [...text.matchAll(/^\| `(CAPSTAN_[A-Z_]+)` \| `([^`]+)` \|/gm)].map(([, name, field]) => `${name} ${field}`);
  const source = await readFile(new URL('../../src/service/environment-overlay.ts', import.meta.url), 'utf8');
  const read = [...source.matchAll(/^ {2}(CAPSTAN_[A-Z_]+): '\/([^']+)'/gm)].map(
    ([, name, field]) => `${name} ${field?.replaceAll('/', '.')}`,
  );
  expect(documented).toEqual(read);
});

test('the example of the document is a configuration', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  const [, example = ''] = /```yaml\n([^]*?)```/.exec(text) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'capstan-configuration-'));
  try {
    await writeFile(`${folder}/capstan.yaml`, example);
    await writeFile(`${folder}/app.pem`, 'a key');
    const read = await readConfiguration({
      path: `${folder}/capstan.yaml`,
      env: { CAPSTAN_WEBHOOK_SECRET: 'a secret' },
      purpose: 'service',
    });
    expect(read).toMatchObject({
      ok: true,
      value: { repository: { owner: 'acme', name: 'platform' }, forge: { auth: { kind: 'app', id: 12 } } },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
