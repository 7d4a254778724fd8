import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { foreignRenderer } from '#adapters/tools/tools.ts';
import type { HelmRequest } from '#model/foreign.ts';
import { files, foreignRendererContract, helmRequest, kustomizeRequest, objectsOf } from '#test/contracts/foreign-renderer.contract.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { GO_PROGRAMS } from '#test/servers/programs.ts';

const VERSIONS = { helm: GO_PROGRAMS['helm']?.version ?? '', kustomize: GO_PROGRAMS['kustomize']?.version ?? '' };
const configured = Object.fromEntries(
  (['helm', 'kustomize'] as const).map((tool) => [
    tool,
    { [VERSIONS[tool]]: { path: programPath(tool), sha256: digestOf(programPath(tool)) } },
  ]),
);

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function open(limits: Parameters<typeof foreignRenderer>[1] = {}) {
  return { renderer: foreignRenderer({ configured, path: '' }, limits), ...VERSIONS };
}

foreignRendererContract('the real helm and kustomize', open);

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-live-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A chart of one template. */
function chart(template: string, more: Readonly<Record<string, string>> = {}): Pick<HelmRequest, 'files'> {
  return { files: files({ 'chart/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n', 'chart/templates/a.yaml': template, ...more }) };
}

describe('which program is run', () => {
  test('one on PATH that says that version itself, and none that says another', async () => {
    const path = [dirname(programPath('helm')), dirname(programPath('kustomize'))].join(':');
    const renderer = foreignRenderer({ configured: {}, path: `relative:/nowhere:${path}` });

    expect((await renderer.render(helmRequest(VERSIONS))).kind).toBe('rendered');
    expect(await renderer.render(helmRequest({ helm: '3.21.0' }))).toEqual({
      kind: 'missing',
      found: `${programPath('helm')} is helm ${VERSIONS.helm}`,
    });
    expect(await foreignRenderer({ configured: {}, path: '' }).render(helmRequest(VERSIONS))).toEqual({
      kind: 'missing',
      found: 'there is no helm on PATH',
    });
  });

  test('a file with another digest than the configuration names is not run', async () => {
    const folder = scratch();
    const marker = join(folder, 'it-ran');
    const path = join(folder, 'helm');
    writeFileSync(path, `#!/bin/sh\ntouch ${marker}\necho v${VERSIONS.helm}\n`, { mode: 0o755 });
    const renderer = foreignRenderer({ configured: { helm: { [VERSIONS.helm]: { path, sha256: 'a'.repeat(64) } } }, path: '' });

    const answer = await renderer.render(helmRequest(VERSIONS));

    expect(answer).toMatchObject({ kind: 'missing', found: expect.stringContaining('has sha256') });
    expect(readdirSync(folder)).toEqual(['helm']);
  });
});

describe('a hostile chart', () => {
  test('whose schema refers to a file of this machine does not read it', async () => {
    const outside = join(scratch(), 'outside.json');
    writeFileSync(outside, '{"properties":{"size":{"const":"of this machine"}}}');
    const schema = JSON.stringify({ $ref: `file://${outside}` });
    const { files: hostile } = chart('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n', { 'chart/values.schema.json': schema });

    const answer = await open().renderer.render(helmRequest(VERSIONS, { files: hostile, values: { size: 1 } }));

    expect(answer).toMatchObject({ kind: 'rendered' });
  });

  test('whose schema refers to itself only is refused by it', async () => {
    const schema = JSON.stringify({ properties: { size: { $ref: '#/$defs/size' } }, $defs: { size: { type: 'string' } } });
    const { files: strict } = chart('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n', { 'chart/values.schema.json': schema });

    const answer = await open().renderer.render(helmRequest(VERSIONS, { files: strict, values: { size: 1 } }));

    expect(answer).toMatchObject({ kind: 'failed', message: expect.stringContaining('got number, want string') });
  });

  test('that does not end is ended, with everything it started', async () => {
    const { renderer } = open({ milliseconds: 2_000 });

    const answer = await renderer.render(
      helmRequest(VERSIONS, chart('{{ range until 30000 }}{{ range until 30000 }}{{ end }}{{ end }}a: 1\n')),
    );

    expect(answer).toEqual({ kind: 'limit', what: 'takes longer than 2000 ms' });
  });

  test('that writes without end or fills the memory is ended', async () => {
    const { renderer } = open({ outputBytes: 100_000 });

    expect(await renderer.render(helmRequest(VERSIONS, chart('a: "{{ repeat 200000 "x" }}"\n')))).toEqual({
      kind: 'limit',
      what: 'writes more than 100000 bytes',
    });
    expect(await renderer.render(helmRequest(VERSIONS, chart('{{ range until 1000000000 }}{{ end }}a: 1\n')))).toEqual({
      kind: 'limit',
      what: 'needs more memory than 1024 MiB',
    });
  });

  test('that includes itself without end is refused', async () => {
    const answer = await open().renderer.render(
      helmRequest(VERSIONS, chart('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}')),
    );

    expect(answer.kind).toBe('failed');
  });

  test('sees no files but its own, no variables, no cluster and no names of the net', async () => {
    const probe =
      'files: {{ .Files.Get "../../../../../../etc/hostname" | quote }}\nlookup: {{ lookup "v1" "Namespace" "" "" | toJson }}\ndns: {{ getHostByName "localhost" | quote }}\n';

    expect(await objectsOf(open().renderer, helmRequest(VERSIONS, chart(probe)))).toEqual([{ files: '', lookup: {}, dns: '' }]);
    for (const name of ['env', 'expandenv']) {
      expect(await open().renderer.render(helmRequest(VERSIONS, chart(`a: {{ ${name} "PATH" }}\n`)))).toMatchObject({
        kind: 'failed',
        message: expect.stringContaining(`function "${name}" not defined`),
      });
    }
  });

  test('whose archive has links and paths that leave it is refused, and writes nothing', async () => {
    const folder = scratch();
    execFileSync('mkdir', ['-p', join(folder, 'c/templates')]);
    writeFileSync(join(folder, 'c/Chart.yaml'), 'apiVersion: v2\nname: c\nversion: 1.0.0\n');
    symlinkSync('/etc/passwd', join(folder, 'c/templates/a.yaml'));
    writeFileSync(join(folder, 'evil'), 'x');
    execFileSync('tar', ['-C', folder, '-czf', join(folder, 'links.tgz'), 'c']);
    execFileSync('tar', [
      '-C',
      folder,
      '-czPf',
      join(folder, 'leaves.tgz'),
      '--transform',
      's,evil,c/../../../evil,',
      'c/Chart.yaml',
      'evil',
    ]);

    for (const name of ['links.tgz', 'leaves.tgz']) {
      const archive = new Map([[name, readFileSync(join(folder, name))]]);
      const answer = await open().renderer.render(helmRequest(VERSIONS, { files: archive, path: name }));
      expect(JSON.stringify(answer)).not.toContain('root:');
      expect(['failed', 'rendered']).toContain(answer.kind);
    }
  });

  test('that needs a chart it does not have fetches none', async () => {
    const asked = await listened(async (url) => {
      const dependent = chart('a: 1\n', {
        'chart/Chart.yaml': `apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{ name: x, version: 1.0.0, repository: "${url}" }]\n`,
      });
      expect(await open().renderer.render(helmRequest(VERSIONS, dependent))).toMatchObject({
        kind: 'failed',
        message: expect.stringContaining('missing in charts/'),
      });
    });
    expect(asked).toEqual([]);
  });
});

describe('a hostile kustomization', () => {
  test.each([
    ['a base of the net', 'resources: ["https://127.0.0.2/a.yaml"]'],
    ['a repository', 'resources: ["git::https://127.0.0.2/a.git"]'],
    ['a patch of the net', 'resources: [m.yaml]\npatches: [{ path: "https://127.0.0.2/p.yaml" }]'],
    ['a file outside', 'configMapGenerator: [{ name: a, files: [/etc/passwd] }]'],
    ['a file above', 'configMapGenerator: [{ name: a, files: [../../../../../../etc/passwd] }]'],
    ['a chart', 'helmCharts: [{ name: a, repo: "https://127.0.0.2", version: 1.0.0 }]'],
    [
      'a program',
      'transformers: ["apiVersion: x/v1\\nkind: X\\nmetadata: { name: x, annotations: { config.kubernetes.io/function: \\"exec: { path: ./run.sh }\\" } }"]',
    ],
    [
      'a container',
      'transformers: ["apiVersion: x/v1\\nkind: X\\nmetadata: { name: x, annotations: { config.kubernetes.io/function: \\"container: { image: evil }\\" } }"]',
    ],
    ['itself', 'resources: [../k]'],
  ])('with %s is refused by the program, too', async (_, text) => {
    const more = {
      'k/m.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\n',
      'k/run.sh': '#!/bin/sh\ntouch /tmp/capstan-exec-ran\n',
    };

    const answer = await open().renderer.render(kustomizeRequest(VERSIONS, { 'k/kustomization.yaml': `${text}\n`, ...more }));

    expect(answer.kind).toBe('failed');
    expect(JSON.stringify(answer)).not.toContain('root:');
  });
});

test('runs are counted and leave nothing behind', async () => {
  const folder = scratch();
  const usual = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  const { renderer } = open();

  await Promise.all(Array.from({ length: 8 }, (_, at) => renderer.render(helmRequest(VERSIONS, { name: `r${at}` }))));

  if (usual === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usual;
  expect(renderer.counts()).toEqual({ runs: 8 });
  expect(readdirSync(folder)).toEqual([]);
});

/** Paths that somebody asked a server of this test for. */
async function listened(use: (url: string) => Promise<void>): Promise<readonly string[]> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.2', ready));
  try {
    await use(`http://127.0.0.2:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
  return asked;
}
