import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { loadConfiguration } from '#service/service.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'capstan-configuration-'));
});
afterEach(() => rm(root, { recursive: true }));

const SECRET = 'correct-horse-battery';
const HEAD = 'apiVersion: capstan.dev/v1alpha1\nkind: Configuration\nrepository: { url: "https://github.com/acme/platform.git" }\n';
const FORGE = 'forge: { type: github, token: { env: TOKEN }, webhookSecret: { env: HOOK } }\n';

async function read(
  yaml: string,
  env: Record<string, string> = { TOKEN: 'token-text', HOOK: SECRET },
  purpose: 'service' | 'command' = 'service',
) {
  const path = join(root, 'capstan.yaml');
  await writeFile(path, yaml);
  return loadConfiguration({ path, env, purpose });
}

async function problemsOf(yaml: string, env?: Record<string, string>) {
  const result = await read(yaml, env);
  if (result.ok) throw new Error('the configuration was accepted');
  return result.problems.map(({ code, place, message }) => ({ code, line: place.line, pointer: place.pointer, message }));
}

describe('what is read', () => {
  test('paths are relative to the file, and what is absent has its usual value', async () => {
    const result = await read(`${HEAD}${FORGE}store: { sqlite: data/x.db }\n`);
    if (!result.ok) throw new Error(inspect(result.problems));
    const { value } = result;

    expect(value.repository).toEqual({ url: 'https://github.com/acme/platform.git', branch: 'main', owner: 'acme', name: 'platform' });
    expect(value.sqlite).toBe(join(root, 'data/x.db'));
    expect(value.identity.signingKey).toEqual({ kind: 'file', path: join(root, '.capstan/engine_ed25519') });
    expect(value.forge?.baseUrl).toBe('https://api.github.com');
    expect(value.settings).toMatchObject({ poll: 60_000, drift: 300_000, jitter: 0.1, webhookUrl: undefined });
    expect(value.logLevel).toBe('info');
  });

  test('the trusted root of sigstore is a file or a mirror, beside where trust starts or alone', async () => {
    const sigstoreOf = async (trust: string) => {
      const result = await read(`${HEAD}${FORGE}trust: ${trust}\n`);
      return result.ok ? result.value.trust.sigstore : result.problems.map(({ code }) => code);
    };

    expect(await sigstoreOf('{ sigstore: { trustedRoot: { file: root.json } } }')).toEqual({ kind: 'file', path: join(root, 'root.json') });
    expect(
      await sigstoreOf(`{ root: ${'a'.repeat(40)}, sigstore: { tuf: { mirror: "https://tuf.acme.example", root: tuf.json } } }`),
    ).toEqual({
      kind: 'tuf',
      mirror: 'https://tuf.acme.example',
      rootFile: join(root, 'tuf.json'),
    });
    expect(await sigstoreOf(`{ root: ${'a'.repeat(40)} }`)).toBeUndefined();
    expect(await sigstoreOf('{ sigstore: { tuf: { mirror: "https://tuf.acme.example" } } }')).not.toHaveLength(0);
    expect(await sigstoreOf('{ sigstore: { trustedRoot: { file: a }, tuf: { mirror: "https://x.example", root: b } } }')).not.toHaveLength(
      0,
    );
    expect(await sigstoreOf('{ sigstore: { tuf: { mirror: "https://user:secret@tuf.acme.example", root: b } } }')).not.toHaveLength(0);
    expect(await sigstoreOf(`{ root: ${'a'.repeat(40)}, allowedSigners: b, sigstore: { trustedRoot: { file: a } } }`)).not.toHaveLength(0);
  });

  test('the forge of another host has the Enterprise address below it', async () => {
    const result = await read(HEAD.replace('https://github.com', 'http://127.0.0.1:3000') + FORGE);

    expect(result.ok && result.value.forge?.baseUrl).toBe('http://127.0.0.1:3000/api/v3');
  });

  test('secrets come from files and variables, old and new webhook secrets side by side', async () => {
    await writeFile(join(root, 'hook'), `${SECRET}\n`);
    const yaml = `${HEAD}forge: { type: github, token: { env: TOKEN }, webhookSecret: { file: hook }, previousWebhookSecret: { env: OLD } }\n`;
    const result = await read(yaml, { TOKEN: 'token-text', OLD: 'former-secret' });
    if (!result.ok) throw new Error(inspect(result.problems));

    expect(result.value.forge?.webhookSecrets?.current.reveal()).toBe(SECRET);
    expect(result.value.forge?.webhookSecrets?.previous.map((one) => one.reveal())).toEqual(['former-secret']);
    expect(inspect(result.value, { depth: 9 }) + JSON.stringify(result.value)).not.toMatch(/correct-horse|token-text|former-secret/);
  });

  test('CAPSTAN_ variables stand above the file', async () => {
    const env = {
      CAPSTAN_FORGE_TOKEN: 't-o-k-e-n',
      CAPSTAN_WEBHOOK_SECRET: SECRET,
      CAPSTAN_SERVER_LISTEN: '0.0.0.0:9000',
      CAPSTAN_SERVER_PUBLIC_URL: 'https://capstan.example/',
      CAPSTAN_LOG_LEVEL: 'debug',
    };
    const result = await read(`${HEAD}server: { listen: "127.0.0.1:1" }\n`, env);
    if (!result.ok) throw new Error(inspect(result.problems));

    expect(result.value.settings.listen).toEqual({ host: '0.0.0.0', port: 9000 });
    expect(result.value.settings.webhookUrl).toBe('https://capstan.example/webhooks/github');
    expect(result.value.logLevel).toBe('debug');
    expect(result.value.forge?.auth.kind).toBe('token');
  });

  test('a command takes what there is where secrets are not at hand', async () => {
    const result = await read(HEAD + FORGE, {}, 'command');

    expect(result.ok && result.value.forge).toBe(undefined);
    expect(result.ok && result.value.repository.owner).toBe('acme');
  });
});

describe('what is refused, with its place', () => {
  test('row 4: the service does not start without a webhook secret', async () => {
    const problems = await problemsOf(`${HEAD}forge: { type: github, token: { env: TOKEN } }\n`);

    expect(problems).toEqual([expect.objectContaining({ code: 'webhook-secret-missing', line: 4 })]);
  });

  test('row 4: an empty webhook secret is none', async () => {
    const problems = await problemsOf(HEAD + FORGE, { TOKEN: 't', HOOK: '  ' });

    expect(problems).toEqual([expect.objectContaining({ code: 'secret-unreadable', line: 4, pointer: '/forge/webhookSecret' })]);
  });

  test('an unknown key says what was probably meant', async () => {
    const [problem] = await problemsOf(`${HEAD}${FORGE}shedule: { poll: 60s }\n`);

    expect(problem).toMatchObject({ code: 'unknown-field', line: 5 });
    expect(problem?.message).toContain('did you mean "schedule"?');
  });

  test('a secret written into the file is refused without being repeated', async () => {
    const problems = await problemsOf(`${HEAD}forge: { type: github, token: ${SECRET}, webhookSecret: { env: HOOK } }\n`);

    expect(problems).toEqual([expect.objectContaining({ code: 'secret-not-referenced', line: 4, pointer: '/forge/token' })]);
    expect(JSON.stringify(problems)).not.toContain(SECRET);
  });

  test('every unreadable secret is named, not only the first', async () => {
    const problems = await problemsOf(`${HEAD}forge: { type: github, token: { file: nowhere }, webhookSecret: { file: . } }\n`);

    expect(problems.map((one) => [one.code, one.pointer])).toEqual([
      ['secret-unreadable', '/forge/token'],
      ['secret-unreadable', '/forge/webhookSecret'],
    ]);
  });

  test.each([
    [
      'two logins',
      'forge: { type: github, token: { env: TOKEN }, app: { id: 1, installation: 2, privateKey: { env: TOKEN } }, webhookSecret: { env: HOOK } }\n',
      'fields-exclude-each-other',
    ],
    ['no login', 'forge: { type: github, webhookSecret: { env: HOOK } }\n', 'missing-field'],
    ['PostgreSQL', `${FORGE}store: { postgres: { env: TOKEN } }\n`, 'not-supported'],
    ['a poll of nothing', `${FORGE}schedule: { poll: 0s }\n`, 'out-of-range'],
    ['a port that does not exist', `${FORGE}server: { listen: "127.0.0.1:70000" }\n`, 'out-of-range'],
    ['an API without authentication', `${FORGE}access: []\n`, 'not-supported'],
  ])('%s', async (_name, yaml, code) => {
    expect((await problemsOf(HEAD + yaml)).map((one) => one.code)).toEqual([code]);
  });

  test('credentials in the address of the repository', async () => {
    const problems = await problemsOf(HEAD.replace('https://', `https://ada:${SECRET}@`) + FORGE);

    expect(problems.map((one) => one.code)).toEqual(['bad-format']);
    expect(JSON.stringify(problems)).not.toContain(SECRET);
  });

  test('a file that is not there', async () => {
    const result = await loadConfiguration({ path: join(root, 'absent.yaml'), env: {}, purpose: 'service' });

    expect(result.ok ? [] : result.problems.map((one) => one.code)).toEqual(['configuration-unreadable']);
  });
});

describe('where the signing key lies', () => {
  const ED25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c';
  const ECDSA =
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLw48Df2X1PbU5vH/7j56ImHRYROQbYk0FVwKc7YVCDyAIlj1ugTea7qGHR1CPQDjNoSAKvlAuY2toNv73J6hAo=';
  const AGENT = `identity: { signingKey: { agent: { publicKey: "${ED25519} engine@acme" } } }\n`;
  const TOKEN = `identity: { signingKey: { pkcs11: { module: lib/hsm.so, publicKey: "${ECDSA}", pin: { env: PIN } } } }\n`;
  const SERVICE = { TOKEN: 'token-text', HOOK: SECRET };

  test('in an agent: the socket is named, or SSH_AUTH_SOCK says it', async () => {
    const named = await read(HEAD + FORGE + AGENT.replace('" }', '", socket: run/agent }'), SERVICE);
    const usual = await read(HEAD + FORGE + AGENT, { ...SERVICE, SSH_AUTH_SOCK: '/run/agent.sock' });

    expect(named.ok && named.value.identity.signingKey).toEqual({ kind: 'agent', publicKey: ED25519, socket: join(root, 'run/agent') });
    expect(usual.ok && usual.value.identity.signingKey).toEqual({ kind: 'agent', publicKey: ED25519, socket: '/run/agent.sock' });
  });

  test('in a token: the PIN is a secret by reference', async () => {
    const result = await read(HEAD + FORGE + TOKEN, { ...SERVICE, PIN: '824691' });
    if (!result.ok) throw new Error(inspect(result.problems));
    const key = result.value.identity.signingKey;

    expect(key).toMatchObject({ kind: 'pkcs11', publicKey: ECDSA, module: join(root, 'lib/hsm.so') });
    expect(key.kind === 'pkcs11' && key.pin?.reveal()).toBe('824691');
    expect(result.value.secrets.map((one) => one.reveal())).toContain('824691');
    expect(inspect(result.value, { depth: 9 }) + JSON.stringify(result.value)).not.toContain('824691');
  });

  test.each([
    ['nowhere', 'identity: { signingKey: {} }\n', {}, '/identity/signingKey'],
    ['in two places', AGENT.replace('agent:', 'file: engine, agent:'), { SSH_AUTH_SOCK: '/s' }, '/identity/signingKey'],
    ['a PIN in the file', TOKEN.replace('{ env: PIN }', '"824691"'), {}, '/identity/signingKey/pkcs11/pin'],
    ['a PIN that is not set', TOKEN, {}, '/identity/signingKey/pkcs11/pin'],
    ['an agent without any socket', AGENT, {}, '/identity/signingKey/agent'],
    ['a key that is none', AGENT.replace(ED25519, 'ssh-ed25519 AAAA'), { SSH_AUTH_SOCK: '/s' }, '/identity/signingKey/agent/publicKey'],
    [
      'a token with a key that OpenSSH cannot use there',
      TOKEN.replace(ECDSA, ED25519),
      { PIN: '1' },
      '/identity/signingKey/pkcs11/publicKey',
    ],
  ])('%s is refused at its place', async (_, yaml, env, pointer) => {
    const problems = await problemsOf(HEAD + FORGE + yaml, { ...SERVICE, ...env });

    expect(problems.map((one) => one.pointer)).toContain(pointer);
    expect(JSON.stringify(problems)).not.toContain('824691');
  });
});
