import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { runCli } from '#cli/cli.ts';
import { memoryRegistry, registryState } from '#test/contracts/memory-registry.ts';
import { pushImage } from '#test/contracts/registry.contract.ts';
import { NO_POWERS } from '#test/no-powers.ts';
import { pair } from '#test/sigstore-authorities.ts';

const REPOSITORY = { registry: 'registry.acme.example', name: 'acme/web' };
const registry = memoryRegistry({ state: registryState() });
let folder: string;
let image: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-verify-image-'));
  await writeFile(join(folder, 'key.pub'), pair('P-256').publicKey.export({ type: 'spki', format: 'pem' }));
  image = `registry.acme.example/acme/web@${(await pushImage(registry, REPOSITORY, 'web', 'v1')).digest}`;
});
afterAll(() => rm(folder, { recursive: true }));

async function capstan(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const powers = {
    ...NO_POWERS,
    openBundles: async () => sigstoreBundles(),
    openRegistry: async () => registry,
    trustedRoot: async () => undefined,
  };
  const code = await runCli(args, async () => powers, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    say: (text) => void (err += text),
    isVerbose: false,
    env: {},
    cwd: folder,
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

test('one sentence says what an image lacks, and what to do', async () => {
  expect(await capstan('verify-image', '--key', 'key.pub', image)).toEqual({
    code: 3,
    out: `${image} is not accepted: nobody signed it (unsigned). Sign it: 'cosign sign --key cosign.key IMAGE@DIGEST'\n`,
    err: '',
  });
  expect(await capstan('verify-image', '--key', 'key.pub', '--type', 'vuln', image)).toEqual({
    code: 3,
    out: `${image} is not accepted: nobody attested it (unsigned). Attest it: 'cosign attest --key cosign.key --type TYPE --predicate FILE IMAGE@DIGEST'\n`,
    err: '',
  });
});

test('an image that is not there is another thing than one that is not signed', async () => {
  const gone = `registry.acme.example/acme/web@sha256:${'0'.repeat(64)}`;

  const { code, out } = await capstan('verify-image', '--key', 'key.pub', gone);

  expect(code).toBe(1);
  expect(out).toContain(`${gone} is not there`);
});

test('row 60: a tag is refused with the way to its digest', async () => {
  const { code, out, err } = await capstan('verify-image', '--key', 'key.pub', 'registry.acme.example/acme/web:v1');

  expect([code, out]).toEqual([64, '']);
  expect(err).toContain(
    "the tag v1 can name another image tomorrow; verify what it names now: registry.acme.example/acme/web@sha256:DIGEST ('skopeo inspect --format {{.Digest}} docker://registry.acme.example/acme/web:v1' prints it)",
  );
});

test.each([
  ['no reference', ['a b'], 'is no image'],
  ['no digest', ['registry.acme.example/acme/web'], 'can name another image tomorrow'],
  ['another digest', [`registry.acme.example/acme/web@sha512:${'a'.repeat(128)}`], '64 lower-case hex digits'],
  ['an empty type', ['--type', '', 'IMAGE'], '--type'],
  ['a type that nobody knows', ['--type', 'slsa', 'IMAGE'], 'neither a URI nor one of slsaprovenance'],
  ['an annotation without value', ['-a', 'team', 'IMAGE'], 'is not KEY=VALUE'],
  ['no signer', [], 'who must have signed?'],
])('%s is wrong usage', async (_name, words, message) => {
  const asked = words.length === 0 ? [image] : ['--key', 'key.pub', ...words.map((word) => (word === 'IMAGE' ? image : word))];

  const { code, out, err } = await capstan('verify-image', ...asked);

  expect([code, out]).toEqual([64, '']);
  expect(err).toContain(message);
});

test('a login in a reference is repeated nowhere', async () => {
  const { code, out, err } = await capstan('verify-image', '--key', join(folder, 'key.pub'), `ada:hunter2@${image}`);

  expect([code, out + err]).toEqual([64, expect.stringContaining('"[login]@registry.acme.example/acme/web@sha256:')]);
  expect(out + err).not.toContain('hunter2');
});
