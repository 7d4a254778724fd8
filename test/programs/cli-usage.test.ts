import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { workbench } from './capstan-program.ts';
import type { Ended, Workbench } from './capstan-program.ts';

/** Every command of contracts.md that this version has. */
const COMMANDS =
  'init validate fmt lock render diff plan apply reconcile status get promote history verify endorse seal verify-commit verify-tag verify-bundle verify-image attest approve evidence capsule identity explain schema export-policies doctor serve forge demo completion version'.split(
    ' ',
  );
let bench: Workbench;
let platform: string;

beforeAll(async () => {
  bench = await workbench();
  platform = await bench.platform();
});

afterAll(() => bench.close());

/** Runs command lines two at a time, in the order given. */
async function runAll(lines: readonly string[], folder = platform): Promise<readonly (readonly [string, Ended])[]> {
  const ended: (readonly [string, Ended])[] = [];
  for (let next = 0; next < lines.length; next += 2) {
    const pair = lines.slice(next, next + 2);
    ended.push(
      ...(await Promise.all(pair.map(async (line) => [line, await bench.capstan(folder, ...line.split(' ').filter(Boolean))] as const))),
    );
  }
  return ended;
}

test('every command has help with its options and one example', async () => {
  const overview = await bench.capstan(platform, '--help');
  const listed = [...overview.out.matchAll(/^ {2}([a-z][a-z-]*)(?: \[| <| {2})/gm)].map(([, name]) => name);
  expect([overview.code, overview.err, listed]).toEqual([0, '', [...COMMANDS, 'help']]);
  for (const [line, { code, out, err }] of await runAll(COMMANDS.map((name) => `${name} --help`))) {
    const [name = ''] = line.split(' ');
    expect([line, code, err]).toEqual([line, 0, '']);
    expect(out).toMatch(new RegExp(`^Usage: capstan ${name}\\b[^]*--help[^]*\\nExample:\\n  \\$ capstan ${name}\\b.*\\n`));
  }
});

test('help loads the command line and nothing behind it, the version no chapter', async () => {
  const hook = join(platform, '..', 'loaded.mjs');
  await writeFile(
    hook,
    `import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => { process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });`,
  );
  const main = new URL('../../src/capstan.cjs', import.meta.url).pathname;
  const loadedBy = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await bench.run(platform, 'bash', '-c', '"$0" "$@" 2>&1 >/dev/null', process.execPath, '--import', hook, main, ...args))
      .split('\n')
      .flatMap((line) => /^loaded file:.*?\/(src\/[^/]+(?:\/(?=.*\/)[^/]+)?|node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(line)?.[1] ?? []);
  expect([...new Set(await loadedBy('--help'))].sort()).toEqual(
    ['node_modules/commander', 'src/capstan.cjs', 'src/cli', 'src/main.ts', 'src/model', 'src/own-modules.cjs', 'src/ports'].sort(),
  );
  expect((await loadedBy('version')).filter((part) => /loops|adapters|ajv|cel|src\/(desired|resolve|render|trust)/.test(part))).toEqual([]);
});

test('export-policies writes what a cluster can enforce, and says what it cannot', async () => {
  const exported = await bench.capstan(platform, 'export-policies', 'pinned-images');
  const kyverno = await bench.capstan(platform, 'export-policies', 'pinned-images', '--format', 'kyverno');
  const nothing = await bench.capstan(platform, 'export-policies', '--format', 'kyverno');
  const [unknown, wrong] = [
    await bench.capstan(platform, 'export-policies', 'pined-images'),
    await bench.capstan(platform, 'export-policies', '--format', 'opa'),
  ];

  expect([nothing.code, nothing.out, nothing.err]).toEqual([
    0,
    '',
    'There is nothing to export, so nothing for kubectl to apply. No policy has kyverno below spec.export: add it there, or name policies (known: pinned-images).\n',
  ]);
  expect([exported.code, exported.out.match(/^kind: .*/gm)]).toEqual([
    0,
    ['kind: ValidatingAdmissionPolicy', 'kind: ValidatingAdmissionPolicyBinding'],
  ]);
  expect([kyverno.code, kyverno.out.match(/^kind: .*/gm)]).toEqual([0, ['kind: ClusterPolicy']]);
  expect([unknown.code, unknown.err]).toEqual([64, expect.stringContaining('did you mean "pinned-images"?')]);
  expect([wrong.code, wrong.err]).toEqual([64, expect.stringContaining('--format is vap or kyverno, not "opa"')]);
});

test('no words, help and --version answer as they do elsewhere', async () => {
  const [none, help, version, word] = await runAll(['', 'help', '--version', 'version']);
  expect(none?.[1]).toEqual(help?.[1]);
  expect(none?.[1].code).toBe(0);
  expect(version?.[1]).toEqual(word?.[1]);
  expect(version?.[1].out).toMatch(/^capstan \d+\.\d+\.\d+ \(node \d+\.\d+\.\d+, git \d+\.\d+/);
});

test('completion is a script that the shell can read, and completes commands and options', async () => {
  const { code, out } = await bench.capstan(platform, 'completion', 'bash');
  expect(code).toBe(0);
  const file = join(platform, '..', 'completion.bash');
  await writeFile(
    file,
    `${out}
COMP_WORDS=(capstan va); COMP_CWORD=1; _capstan; echo "\${COMPREPLY[@]}"
COMP_WORDS=(capstan validate --r); COMP_CWORD=2; _capstan; echo "\${COMPREPLY[@]}"
`,
  );
  expect(await bench.run(platform, 'bash', file)).toBe('validate\n--repo --rev');
});

test.each([
  ['valdate', "unknown command 'valdate'", '(Did you mean validate?)'],
  ['validate --rve main', "unknown option '--rve'", '(Did you mean --rev?)'],
  ['validate everything', "too many arguments for 'validate'", ''],
  ['validate -o jsn', 'unknown output format "jsn"', 'did you mean "json"?'],
  ['plan', "missing required argument 'environment'", ''],
  ['render', 'name an environment, or use --all (known: dev, prod, staging)', ''],
  ['render dev --out', "option '--out <directory>' argument missing", ''],
  ['diff --head HEAD', 'say what to compare --head with: --base REVISION', ''],
  ['get capsuls', "'capstan get capsuls' is not known", 'did you mean "capsules"?'],
  ['history --environment dev --at yesterday', '--at "yesterday" is neither a time', ''],
  ['history --at 1h', 'add --environment NAME', ''],
  ['verify --trust-root main', '--trust-root "main" is not a commit id', ''],
  ['explain unsinged', 'no problem is called "unsinged"', 'did you mean "unsigned"?'],
  ['schema Capsul', 'there is no schema of "Capsul"', 'did you mean "Capsule"?'],
  ['completion bsh', 'no completion for "bsh"', 'did you mean "bash"?'],
  ['forge --listen 3000', '--listen "3000" is not HOST:PORT', ''],
  ['forge user remove ada', "'capstan forge user remove ada' is not known", ''],
  ['demo --listen localhost', '--listen "localhost" is not HOST:PORT', ''],
])('wrong usage: capstan %s', async (line, message, suggestion) => {
  const { code, out, err } = await bench.capstan(platform, ...line.split(' '));
  expect([code, out]).toEqual([64, '']);
  expect(err.split('\n')[0]).toContain(`capstan: `);
  expect(err).toContain(message);
  expect(err).toContain(suggestion);
  expect(err).toMatch(/Run 'capstan ([a-z]+ )?--help' for what there is\.\n$/);
  expect(err).not.toMatch(/^ +at /m);
});

test.each([
  ['plan deb', 'there is no environment "deb" (known: dev, prod, staging); did you mean "dev"?'],
  ['render deb', 'there is no environment "deb" (known: dev, prod, staging); did you mean "dev"?'],
  ['status deb', 'there is no environment "deb" (known: dev, prod, staging); did you mean "dev"?'],
  ['reconcile dev --target locla', 'environment dev has no target "locla" (known: local); did you mean "local"?'],
  ['promote deb', 'there is no environment "deb"'],
  ['validate --rev nope', 'has no commit, branch or tag "nope"'],
  ['diff --base main~9', 'main~9 goes back further than the history of "main"'],
  ['apply plan.json', 'plan.json cannot be read'],
  ['validate --repo ./nowhere', 'nowhere does not exist'],
  ['init', 'already; nothing was written'],
  ['serve', 'capstan.yaml cannot be read'],
])('what is not there: capstan %s', async (line, message) => {
  const { code, out, err } = await bench.capstan(platform, ...line.split(' '));
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(message);
  expect(err).not.toMatch(/^ +at /m);
});

test('invalid declarations exit 1 in every format, each with the place', async () => {
  const path = join(platform, 'environments/dev/environment.yaml');
  const before = await readFile(path, 'utf8');
  await writeFile(path, before.replace('risk: low', 'risk: lwo'));
  const ended = await runAll(['text', 'json', 'sarif', 'junit', 'github'].map((format) => `validate -q -o ${format}`));
  await writeFile(path, before);
  expect(ended.map(([line, { code, err }]) => [line, code, err])).toEqual(ended.map(([line]) => [line, 1, '']));
  const [text = '', , sarif = '', junit = '', github = ''] = ended.map(([, { out }]) => out);
  expect(text).toBe(
    'environments/dev/environment.yaml:10:9: error: /spec/risk cannot be "lwo"; did you mean "low"? [value-not-allowed]\n     8 |     stage: development\n     9 | spec:\n    10 |   risk: lwo\n       |         ^\n    Use one of: low, medium, high, critical.\n',
  );
  expect(JSON.parse(sarif)).toMatchObject({
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'capstan', rules: [{ id: 'value-not-allowed' }] } },
        results: [
          {
            ruleId: 'value-not-allowed',
            level: 'error',
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: 'environments/dev/environment.yaml', uriBaseId: 'ROOT' },
                  region: { startLine: 10, startColumn: 9 },
                },
              },
            ],
          },
        ],
      },
    ],
  });
  expect(junit).toContain('<testsuites tests="1" failures="1" errors="0">');
  expect(junit).toContain(
    '<failure type="value-not-allowed" message="/spec/risk cannot be &quot;lwo&quot;; did you mean &quot;low&quot;?">',
  );
  expect(github).toBe(
    '::error file=environments/dev/environment.yaml,line=10,col=9,title=value-not-allowed::/spec/risk cannot be "lwo"; did you mean "low"?%0AUse one of: low, medium, high, critical.\n',
  );
});

test('changes exit 2 where that was asked for, and 0 where not', async () => {
  const ended = await runAll(['plan dev', 'plan dev --detailed-exitcode', 'diff --base main', 'diff --base main --detailed-exitcode']);
  expect(ended.map(([line, { code }]) => [line, code])).toEqual([
    ['plan dev', 0],
    ['plan dev --detailed-exitcode', 2],
    ['diff --base main', 0],
    ['diff --base main --detailed-exitcode', 0],
  ]);
});

test('diff without words compares HEAD with the working directory, and says so where there is none', async () => {
  const path = join(platform, 'environments/staging/environment.yaml');
  const before = await readFile(path, 'utf8');
  const unchanged = await bench.capstan(platform, 'diff');
  await writeFile(path, before.replace('Hello from staging', 'Moin from staging'));
  const [plain, named] = await runAll(['diff', 'diff --base HEAD']);
  await writeFile(path, before);
  const bare = join(platform, '..', 'bare.git');
  await bench.git(platform, 'clone', '--quiet', '--bare', '.', bare);
  const nowhere = await bench.capstan(platform, 'diff', '--repo', bare);

  expect([unchanged.code, unchanged.out]).toEqual([0, 'nothing rendered changes\n']);
  expect([plain?.[1].code, plain?.[1].out]).toEqual([0, expect.stringContaining('Moin from staging')]);
  expect(plain?.[1]).toEqual(named?.[1]);
  expect([nowhere.code, nowhere.err]).toEqual([64, expect.stringContaining('no working directory here to compare with HEAD')]);
});

test('a saved plan is applied once; when what is there moved it is refused with 4', async () => {
  const saved = await bench.capstan(platform, 'plan', 'dev', '--save', 'plan.json');
  expect(saved.code).toBe(0);
  const applied = await bench.capstan(platform, 'apply', 'plan.json');
  expect([applied.code, applied.out.split('\n')[0]]).toEqual([
    0,
    expect.stringMatching(/^dev\/local: settled, healthy, 3 of 3 steps done/),
  ]);
  const again = await bench.capstan(platform, 'apply', 'plan.json');
  expect([again.code, again.err]).toEqual([4, expect.stringContaining('Plan again: capstan plan dev --save plan.json')]);
});

/** Merges what `promote` wrote, as a person would. */
async function takePromotion(environment: string): Promise<void> {
  const { out } = await bench.capstan(platform, 'promote', environment, '-o', 'json');
  await bench.git(platform, 'merge', '--quiet', '--no-edit', (JSON.parse(out) as { branch: string }).branch);
}

test('what policy refuses exits 3, what a gate still holds exits 4', async () => {
  const capsule = join(platform, 'capsules/hello/capsule.yaml');
  await bench.capstan(platform, 'reconcile', 'staging');
  await writeFile(
    capsule,
    (await readFile(capsule, 'utf8')).replace('version: 1.0.0', 'version: 1.0.1').replace('greeting: Hello', 'greeting: Salve'),
  );
  await bench.git(platform, 'commit', '-qam', 'hello: greet in Latin');
  await takePromotion('dev');
  expect((await bench.capstan(platform, 'reconcile', 'dev')).code).toBe(0);
  await takePromotion('staging');
  const held = await bench.capstan(platform, 'reconcile', 'staging');
  expect([held.code, held.out, held.err]).toEqual([4, '', expect.stringContaining('waiting: ')]);

  await writeFile(
    capsule,
    (await readFile(capsule, 'utf8')).replace(/@sha256:[0-9a-f]{64}/, ':latest').replace('version: 1.0.1', 'version: 1.0.2'),
  );
  await bench.git(platform, 'commit', '-qam', 'hello: run whatever is newest');
  await takePromotion('dev');
  const refused = await bench.capstan(platform, 'reconcile', 'dev');
  expect([refused.code, refused.err]).toEqual([3, expect.stringContaining('policy-denied')]);
});
