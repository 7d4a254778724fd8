import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { isJsonObject, jsonText, valueAt, type JsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { readConfiguration } from '#service/configuration.ts';
import { ROOT } from './readme-blocks.ts';

const INSTALL = `${ROOT}docs/install/`;

/** Instructions of the Containerfile: lines that end in a backslash go on. */
async function instructions(): Promise<readonly (readonly [string, string])[]> {
  const text = (await readFile(`${INSTALL}Containerfile`, 'utf8')).replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, ' ');
  return text.split('\n').flatMap((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return name === undefined || rest === undefined ? [] : [[name, rest] as const];
  });
}

test('the image stands on a base that is named by its digest, and nothing but the checkout and its lock comes in', async () => {
  const found = await instructions();
  const of = (name: string): readonly string[] => found.flatMap(([one, rest]) => (one === name ? [rest] : []));

  expect(new Set(found.map(([name]) => name))).toEqual(
    new Set(['ARG', 'FROM', 'WORKDIR', 'COPY', 'RUN', 'USER', 'ENV', 'VOLUME', 'EXPOSE', 'ENTRYPOINT', 'CMD']),
  );
  expect(of('ARG')).toEqual(['BASE', 'BASE_DIGEST']);
  expect(of('FROM')).toEqual(['${BASE}@${BASE_DIGEST} AS packages', '${BASE}@${BASE_DIGEST}']);
  expect(of('RUN').filter((line) => /\b(?:curl|wget|npm install)\b|https?:/.test(line))).toEqual([]);
  expect(of('RUN').find((line) => line.includes('npm'))).toContain('npm ci --omit=dev --omit=optional --ignore-scripts');
  const copied = of('COPY').flatMap((line) => (line.startsWith('--from=') ? [] : line.split(' ').slice(0, -1)));
  for (const path of copied) await access(join(ROOT, path));
  expect(copied).toEqual(['package.json', 'package-lock.json', 'LICENSE', 'package.json', 'schemas', 'src']);
});

test('the image runs as nobody in particular, and nothing after that writes to it', async () => {
  const found = await instructions();
  const at = found.findIndex(([name]) => name === 'USER');

  expect(found[at]).toEqual(['USER', '65532:65532']);
  expect(found.slice(at + 1).map(([name]) => name)).toEqual(['ENV', 'VOLUME', 'EXPOSE', 'ENTRYPOINT', 'CMD']);
  const entry = JSON.parse(found.at(-2)?.[1] ?? '[]') as readonly string[];
  expect(entry).toEqual(['node', '/opt/capstan/src/capstan.cjs']);
  expect((await stat(join(ROOT, 'src/capstan.cjs'))).isFile()).toBe(true);
});

async function manifests(name: string): Promise<readonly JsonObject[]> {
  const read = readKubernetesYaml(await readFile(`${INSTALL}kubernetes/${name}.yaml`, 'utf8'), name);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value.flatMap(({ value }) => (isJsonObject(value) ? [value] : []));
}

test('the configuration of the manifests is one, and what it names is mounted', async () => {
  const all = await manifests('capstan');
  const text = valueAt(
    all.find(({ kind }) => kind === 'ConfigMap'),
    '/data/capstan.yaml',
  );
  const folder = await mkdtemp(join(tmpdir(), 'capstan-installation-'));
  try {
    await writeFile(join(folder, 'secret'), 'a secret');
    const local = jsonText(text ?? null).replace(/\/run\/secrets\/capstan\/(?:forge-token|webhook-secret)/g, join(folder, 'secret'));
    await writeFile(join(folder, 'capstan.yaml'), local);
    const read = await readConfiguration({ path: join(folder, 'capstan.yaml'), env: {}, purpose: 'service' });
    expect(read).toMatchObject({
      ok: true,
      value: {
        sqlite: '/var/lib/capstan/state.db',
        identity: { signingKey: { kind: 'file', path: '/run/secrets/capstan/engine_ed25519' } },
        settings: { listen: { host: '0.0.0.0', port: 8080 } },
      },
    });
    expect(read.ok && [...read.value.credentials]).toEqual([
      ['here', expect.objectContaining({ source: { kind: 'in-cluster' }, namespaces: ['acme-*'] })],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
  const container = valueAt(
    all.find(({ kind }) => kind === 'Deployment'),
    '/spec/template/spec/containers/0',
  );
  const mounts = valueAt(container ?? null, '/volumeMounts');
  expect(Array.isArray(mounts) && mounts.map((mount) => [valueAt(mount, '/mountPath'), valueAt(mount, '/readOnly') === true])).toEqual([
    ['/etc/capstan', true],
    ['/run/secrets/capstan', true],
    ['/var/lib/capstan', false],
    ['/tmp', false],
  ]);
  expect(valueAt(container ?? null, '/securityContext/readOnlyRootFilesystem')).toBe(true);
});

test('no role gives everything of anything, nor rights that give rights', async () => {
  for (const name of ['rbac-apply', 'rbac-cluster', 'rbac-read', 'rbac-delegate']) {
    const text = JSON.stringify(await manifests(name));
    expect([name, /"\*"|escalate|"bind"|impersonate|"(?:cluster)?roles?"|rolebindings/.test(text)]).toEqual([name, false]);
  }
  const [read] = await manifests('rbac-read');
  expect(JSON.stringify(read)).not.toMatch(/create|patch|update|delete/);
});

async function analyze(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string } | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', [...args]);
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return error.code === 'ENOENT' ? undefined : { code: Number(error.code), said: 'stderr' in error ? String(error.stderr) : '' };
  }
}

test('systemd takes the unit, and lets it do little', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-unit-'));
  try {
    const unit = join(folder, 'capstan.service');
    await writeFile(unit, (await readFile(`${INSTALL}capstan.service`, 'utf8')).replaceAll('/opt/capstan/', ROOT));
    const verified = await analyze('verify', unit);
    if (verified === undefined) {
      console.warn('SKIPPED: systemd-analyze is not on this machine (Debian package systemd)');
      context.skip();
    }
    expect(verified).toEqual({ code: 0, said: '' });
    // In tenths: 1.4 of 10.
    expect(await analyze('security', '--offline=true', '--no-pager', '--threshold=15', unit)).toMatchObject({ code: 0 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
