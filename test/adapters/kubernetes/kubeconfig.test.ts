import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { kubeconfigAccess } from '#adapters/kubernetes/kubeconfig-access.ts';
import type { ServerAccess } from '#adapters/kubernetes/server-access.ts';
import { isPortError } from '#ports/port-error.ts';
import { issue } from './certificates.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-kubeconfig-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const NOW = Date.parse('2026-06-01T12:00:00Z');
const file = join(scratch, 'config');
const ca = issue({ name: 'cluster CA', isAuthority: true });
const anna = issue({ name: 'anna', by: ca });
writeFileSync(join(scratch, 'ca.crt'), ca.cert);
writeFileSync(join(scratch, 'anna.crt'), anna.cert);
writeFileSync(join(scratch, 'anna.key'), anna.key);

const CLUSTER = 'server: https://127.0.0.1:6443\n    certificate-authority: ca.crt';

function kubeconfig(user: string, cluster = CLUSTER, rest = 'current-context: prod'): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: eu
  cluster:
    ${cluster}
users:
- name: capstan
  user:
    ${user}
contexts:
- name: prod
  context: {cluster: eu, user: capstan}
${rest}
`;
}

function open(
  text: string,
  options: { readonly context?: string; readonly impersonate?: string; readonly allowExec?: boolean } = {},
): Promise<ServerAccess> {
  writeFileSync(file, text);
  const { context, impersonate, allowExec = false } = options;
  return kubeconfigAccess({ file, context, impersonate, allowExec, now: () => NOW });
}

/** Kind and words of the refusal, the folder left out. */
async function refusal(run: Promise<ServerAccess>): Promise<string> {
  try {
    await run;
    return 'accepted';
  } catch (error) {
    if (!isPortError(error)) throw error;
    return `${error.kind} ${error.message.replaceAll(`${scratch}/`, '')}`;
  }
}

it('reads the server, its CA and a token, with paths from where the kubeconfig lies', async () => {
  const access = await open(kubeconfig('token: abc'));

  expect(access.url.href).toBe('https://127.0.0.1:6443/');
  expect(await access.headers()).toEqual(['authorization', 'Bearer abc']);
  expect(await access.tls()).toEqual({ ca: ca.cert, cert: undefined, key: undefined, servername: undefined });
  expect(access.words).toEqual({
    cluster: `cluster "eu" of ${file}`,
    user: `user "capstan" of ${file}`,
    authority: join(scratch, 'ca.crt'),
  });
});

it('reads client certificates, from text before files, and the name to check the server by', async () => {
  const data = Buffer.from(anna.cert).toString('base64');
  const access = await open(
    kubeconfig(
      `client-certificate-data: ${data}\n    client-certificate: none.crt\n    client-key: ${join(scratch, 'anna.key')}`,
      `${CLUSTER}\n    tls-server-name: api.example`,
    ),
  );

  expect(await access.tls()).toEqual({ ca: ca.cert, cert: anna.cert, key: anna.key, servername: 'api.example' });
  expect(await access.headers()).toEqual([]);
});

it('takes the named context and keeps the path of a server behind another', async () => {
  const other = `current-context: none\n`;
  const access = await open(kubeconfig('token: abc', 'server: https://proxy.example/k8s/clusters/c-1'), { context: 'prod' });

  expect(access.url.href).toBe('https://proxy.example/k8s/clusters/c-1');
  expect(await refusal(open(kubeconfig('token: abc', CLUSTER, other)))).toBe(
    'invalid config:15:1: there is no context "none". Name one of: prod.',
  );
});

it('reads a token file again after a minute and when it is told to', async () => {
  let now = NOW;
  writeFileSync(join(scratch, 'token'), 'one\n');
  writeFileSync(file, kubeconfig('tokenFile: token'));
  const access = await kubeconfigAccess({ file, context: undefined, impersonate: undefined, allowExec: false, now: () => now });
  const seen = [await access.headers()];
  writeFileSync(join(scratch, 'token'), 'two\n');
  seen.push(await access.headers());
  now += 60_000;
  seen.push(await access.headers());
  writeFileSync(join(scratch, 'token'), 'three\n');
  await access.renew();
  seen.push(await access.headers());

  expect(seen.map(([, value]) => value)).toEqual(['Bearer one', 'Bearer one', 'Bearer two', 'Bearer three']);
});

it('row 96: reads the kubeconfig again for a new connection and after a refusal, and stays with its server', async () => {
  const other = issue({ name: 'new CA', isAuthority: true });
  const data = (pem: string): string =>
    `server: https://127.0.0.1:6443\n    certificate-authority-data: ${Buffer.from(pem).toString('base64')}`;
  const access = await open(kubeconfig('token: one', data(ca.cert)));
  writeFileSync(file, kubeconfig('token: two', data(ca.cert)));
  const before = await access.headers();
  await access.renew();
  const after = await access.headers();
  writeFileSync(file, kubeconfig('token: two', data(other.cert)));
  const rotated = await access.tls();
  writeFileSync(file, 'clusters: [');
  const halfWritten = await access.tls();
  writeFileSync(file, kubeconfig('token: three', data(other.cert).replace('6443', '7443')));

  expect([before, after].map(([, value]) => value)).toEqual(['Bearer one', 'Bearer two']);
  expect([rotated.ca, halfWritten.ca]).toEqual([other.cert, other.cert]);
  expect(await refusal(access.renew().then(() => access))).toBe(
    'denied config:6:5: cluster "eu" is at another address than when it was connected. Restart the engine to use it.',
  );
  expect(await access.headers()).toEqual(after);
});

it('makes requests as somebody else where the target or the kubeconfig says so', async () => {
  const account = 'system:serviceaccount:acme-prod:gitops';

  const sent = async (user: string, impersonate?: string): Promise<string> =>
    (await (await open(kubeconfig(user), impersonate === undefined ? {} : { impersonate })).headers()).join(' ');
  const groups = '{token: abc, as: anna, as-uid: "7", as-groups: [ops, dev]}';

  expect(await sent('token: abc', account)).toBe(`authorization Bearer abc impersonate-user ${account}`);
  expect(await sent(groups)).toBe(
    'authorization Bearer abc impersonate-user anna impersonate-uid 7 impersonate-group ops impersonate-group dev',
  );
  expect(await sent(groups, account)).toBe(`authorization Bearer abc impersonate-user ${account}`);
});

const EXPIRED = issue({ name: 'anna', by: ca, to: '2026-05-31T08:00:00Z' });
const FUTURE = issue({ name: 'anna', by: ca, from: '2026-06-02T08:00:00Z' });
const OTHER = issue({ name: 'berta', by: ca });
for (const [name, pair] of Object.entries({ expired: EXPIRED, future: FUTURE, other: OTHER })) {
  writeFileSync(join(scratch, `${name}.crt`), pair.cert);
  writeFileSync(join(scratch, `${name}.key`), pair.key);
}
mkdirSync(join(scratch, 'folder'));
writeFileSync(join(scratch, 'broken-token'), 'abc\ndef\n');
writeFileSync(join(scratch, 'empty-token'), '\n');
writeFileSync(join(scratch, 'words'), 'no certificate');
writeFileSync(join(scratch, 'broken.crt'), ca.cert.replace('MII', 'III'));
symlinkSync('circle', join(scratch, 'circle'));

const INSTEAD = 'Use a token, a token file or a client certificate.';

it.each<readonly [string, string, string]>([
  [
    'no current-context',
    kubeconfig('token: abc', CLUSTER, ''),
    'invalid config:1:1: names no current-context. Add current-context, one of: prod.',
  ],
  [
    'an unknown user',
    kubeconfig('token: abc').replace('user: capstan}', 'user: anna}'),
    'invalid config:14:26: there is no user "anna". Name one of: capstan.',
  ],
  [
    'an unknown cluster',
    kubeconfig('token: abc').replace('{cluster: eu,', '{cluster: us,'),
    'invalid config:14:13: there is no cluster "us". Name one of: eu.',
  ],
  [
    'a context without a user',
    kubeconfig('token: abc').replace(', user: capstan}', '}'),
    'invalid config:14:3: context "prod" names no user. Add user to it.',
  ],
  [
    'an entry that is there twice',
    kubeconfig('token: abc').replace('contexts:', '- name: capstan\n  user: {token: other}\ncontexts:'),
    'invalid config:12:3: user "capstan" is there twice. Remove one of them.',
  ],
  ['a token that is no text', kubeconfig('token: 12'), 'invalid config:11:5: token of user "capstan" is no text. Put it in quotes.'],
  [
    'a certificate that is not checked',
    kubeconfig('token: abc', `${CLUSTER}\n    insecure-skip-tls-verify: true`),
    'denied config:8:5: cluster "eu" turns the check of the server\'s certificate off, so that whoever answers in its place gets the credentials. Remove insecure-skip-tls-verify and give certificate-authority.',
  ],
  [
    'a login program',
    kubeconfig('exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: [/tmp/never]}'),
    `denied config:11:5: user "capstan" has a program make its credentials (exec), which is not allowed here. ${INSTEAD} Or set allowExec in the configuration's credentials if this file is only written by those who may run programs as the engine.`,
  ],
  [
    'a login that Kubernetes no longer has',
    kubeconfig('auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}'),
    `denied config:11:5: user "capstan" has auth-provider, which Kubernetes removed in 1.26. ${INSTEAD}`,
  ],
  [
    'a password',
    kubeconfig('{username: anna, password: geheim}'),
    `denied config:11:6: user "capstan" has username, and Kubernetes removed passwords in 1.19. ${INSTEAD}`,
  ],
  [
    'credentials over plain HTTP',
    kubeconfig('token: abc', 'server: http://10.0.0.1:8080'),
    'denied config:6:5: server "http://10.0.0.1:8080" would get the credentials of cluster "eu" over plain HTTP. Use its https:// address.',
  ],
  [
    'no server',
    kubeconfig('token: abc', 'certificate-authority: ca.crt'),
    'invalid config:5:3: cluster "eu" has no server. Add its address: https://host:6443.',
  ],
  [
    'another kind of address',
    kubeconfig('token: abc', 'server: ftp://x'),
    'invalid config:6:5: server "ftp://x" is no address of an API server. Write https://host:6443.',
  ],
  [
    'a login in the address',
    kubeconfig('token: abc', 'server: https://a:geheim@x'),
    'invalid config:6:5: server of cluster "eu" holds more than an address. Leave only https://host:port/path.',
  ],
  [
    'a missing CA',
    kubeconfig('token: abc', 'server: https://x\n    certificate-authority: none.crt'),
    'invalid config:7:5: certificate-authority of cluster "eu" is none.crt, and it does not exist. Put the file there or correct its name.',
  ],
  [
    'a CA that is none',
    kubeconfig('token: abc', 'server: https://x\n    certificate-authority: words'),
    'invalid config:7:5: certificate-authority of cluster "eu" is words, and it holds no PEM text. Put the file there or correct its name.',
  ],
  [
    'a CA that is broken',
    kubeconfig('token: abc', 'server: https://x\n    certificate-authority: broken.crt'),
    'invalid config:7:5: the CA of cluster "eu" (broken.crt) is no certificate. Copy it again.',
  ],
  [
    'a CA text that is none',
    kubeconfig('token: abc', 'server: https://x\n    certificate-authority-data: YWJj'),
    'invalid config:7:5: certificate-authority-data of cluster "eu" is no base64 of PEM text. Copy it again.',
  ],
  [
    "another user's key",
    kubeconfig('{client-certificate: anna.crt, client-key: other.key}'),
    'denied config:11:36: the client-key of user "capstan" (other.key) belongs to another certificate. Put the certificate of this user and its own key there.',
  ],
  [
    'a certificate that has expired',
    kubeconfig('{client-certificate: expired.crt, client-key: expired.key}'),
    'denied config:11:6: the client-certificate of user "capstan" (expired.crt) expired at 2026-05-31T08:00:00.000Z. Put the certificate of this user and its own key there.',
  ],
  [
    'a certificate of the future',
    kubeconfig('{client-certificate: future.crt, client-key: future.key}'),
    'denied config:11:6: the client-certificate of user "capstan" (future.crt) is valid only from 2026-06-02T08:00:00.000Z. Put the certificate of this user and its own key there.',
  ],
  [
    'a key without a certificate',
    kubeconfig('client-key: anna.key'),
    'invalid config:11:5: user "capstan" has a client-key without client-certificate. Add the certificate or remove the key.',
  ],
  [
    'a token of two lines',
    kubeconfig('tokenFile: broken-token'),
    'invalid the token file broken-token has line breaks, and a token is one line. Remove them.',
  ],
  ['an empty token file', kubeconfig('tokenFile: empty-token'), 'denied the token file empty-token is empty. Write the token there.'],
  [
    'a token file that is a directory',
    kubeconfig('tokenFile: folder'),
    'denied the token file folder cannot be used: it is not a regular file. Mount the token there or correct tokenFile.',
  ],
  [
    'a token with a header in it',
    kubeconfig('token: "abc\\r\\nImpersonate-User: admin"'),
    'invalid the token of user "capstan" in config has line breaks, and a token is one line. Remove them.',
  ],
  [
    'groups of nobody',
    kubeconfig('{token: abc, as-groups: ["system:masters"]}'),
    'invalid config:11:18: as, as-uid and as-groups of user "capstan" name nobody. Write a user such as system:serviceaccount:<namespace>:<name>.',
  ],
  [
    'what more a user is',
    kubeconfig('{token: abc, as: anna, as-user-extra: {a: [b]}}'),
    'unsupported config:11:28: user "capstan" has as-user-extra, which is not supported. Remove it.',
  ],
  [
    'a proxy that does not tunnel',
    kubeconfig('token: abc', `${CLUSTER}\n    proxy-url: socks5://a:geheim@x`),
    'unsupported config:8:5: proxy-url of cluster "eu" is no http:// or https:// address. Use a proxy that tunnels with HTTP CONNECT.',
  ],
  [
    'two documents',
    `${kubeconfig('token: abc')}---\na: b\n`,
    'invalid config: a kubeconfig is one document with clusters, users and contexts, and this has 2. Write it again with kubectl config.',
  ],
  [
    'a key into prototypes',
    kubeconfig('{token: abc, __proto__: {a: b}}'),
    'invalid config:11:18: config has the key "__proto__", which is not allowed. Correct it, or write it again with kubectl config.',
  ],
  [
    'what is no YAML',
    'clusters: [',
    'invalid config:1:12: config is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. Correct it, or write it again with kubectl config.',
  ],
])('row 97: refuses %s', async (_name, text, words) => {
  expect(await refusal(open(text))).toEqual(words);
});

it('refuses an impersonation that would be none', async () => {
  expect(await refusal(open(kubeconfig('token: abc'), { impersonate: '' }))).toBe(
    'invalid impersonate "" cannot be the name of a user. Write a user such as system:serviceaccount:<namespace>:<name>.',
  );
  expect(await refusal(open(kubeconfig('token: abc'), { impersonate: 'a\r\nb' }))).toMatch(/^invalid impersonate "a\\u000d\\u000ab"/);
});

it('refuses a kubeconfig that is not there, is too large, leads in a circle or may not be read', async () => {
  const at = (path: string): Promise<ServerAccess> =>
    kubeconfigAccess({ file: join(scratch, path), context: undefined, impersonate: undefined, allowExec: false, now: () => NOW });
  writeFileSync(join(scratch, 'large'), 'x'.repeat(1024 * 1024 + 1));
  writeFileSync(join(scratch, 'latin'), Buffer.of(0xff));
  const remedy = "Correct the file's name in the configuration's credentials.";

  expect(await refusal(at('none'))).toBe(`invalid kubeconfig none cannot be used: it does not exist. ${remedy}`);
  expect(await refusal(at('large'))).toBe(`invalid kubeconfig large cannot be used: it is larger than 1048576 bytes. ${remedy}`);
  expect(await refusal(at('circle'))).toBe(`invalid kubeconfig circle cannot be used: its symbolic links lead in a circle. ${remedy}`);
  expect(await refusal(at('latin'))).toBe(`invalid kubeconfig latin cannot be used: it is not UTF-8. ${remedy}`);
});

it('runs a login program where that is allowed, and keeps what it said until it is refused', async () => {
  const program = join(scratch, 'login');
  const count = join(scratch, 'count');
  writeFileSync(
    program,
    `#!/bin/sh
echo x >> ${count}
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s-%s"}}' "$WHO" "$(wc -l < ${count} | tr -d ' ')"
`,
  );
  chmodSync(program, 0o700);
  const text = kubeconfig(
    'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never, env: [{name: WHO, value: me}]}',
  );
  const access = await open(text, { allowExec: true });
  const seen = [await access.headers(), await access.headers()];
  await access.renew();
  seen.push(await access.headers());

  expect(seen.map(([, value]) => value)).toEqual(['Bearer me-1', 'Bearer me-1', 'Bearer me-2']);
});

it('says what a login program did wrong, without what it printed', async () => {
  const program = join(scratch, 'bad-login');
  const text = kubeconfig('exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bad-login}');
  const said: string[] = [];
  for (const body of ['echo geheim', 'echo "log in first" >&2; exit 1', 'echo {}', `printf '{"status":{}}'`]) {
    writeFileSync(program, `#!/bin/sh\n${body}\n`);
    chmodSync(program, 0o700);
    said.push(await refusal(open(text, { allowExec: true })));
  }
  rmSync(program);
  said.push(await refusal(open(text, { allowExec: true })));
  const start = 'denied the login program "bad-login" of user "capstan" of config failed:';

  expect(said).toEqual([
    `${start} it did not print an ExecCredential`,
    `${start} log in first`,
    `${start} it did not print an ExecCredential`,
    `${start} it printed neither a token nor a certificate`,
    `${start} spawn bad-login ENOENT`,
  ]);
});
