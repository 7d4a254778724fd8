import { describe, expect, test } from 'vitest';

import { findSecrets, knownSecretIn } from '#model/secret-scan.ts';

/** As many characters as asked for, as a generator of tokens would draw them; no text of a real one. */
function drawn(length: number, alphabet = 'Kq7ZpT2vXw9LmB4nRd8Hs3YcF6gJ5tVb'): string {
  let text = '';
  for (let state = 11; text.length < length; text += alphabet.charAt((state >> 16) % alphabet.length))
    state = (state * 25_214_903 + 12_345) % 2_147_483_647;
  return text;
}

const HEX = '0f9a3c7e5b2d8164';
const UPPER = 'QZ7XW2VT9PLK4MNB';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function pem(kind: string): string {
  return `-----BEGIN ${kind}PRIVATE KEY-----\n${drawn(64)}\n${drawn(40)}\n-----END ${kind}PRIVATE KEY-----\n`;
}

function jwt(claims: object = { sub: 'ada', role: 'writer' }): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.${drawn(43)}`;
}

function found(text: string): readonly string[] {
  return findSecrets(Buffer.from(text)).map(({ type, line, column }) => `${line}:${column} ${type}`);
}

describe('V-80: finds by its form', () => {
  test.each([
    ['a private key', pem('')],
    ['a private key', pem('RSA ')],
    ['a private key', pem('OPENSSH ')],
    ['a private key', pem('EC ').replaceAll('\n', String.raw`\n`)],
    ['a private key', base64(pem(''))],
    ['an AWS access key', `AKIA${drawn(16, UPPER)}`],
    ['a GitHub token', `ghp_${drawn(36)}`],
    ['a GitHub token', `github_pat_${drawn(82)}`],
    ['a GitLab token', `glpat-${drawn(20)}`],
    ['a Slack token', `xoxb-${drawn(40)}`],
    ['a Slack webhook', `hooks.slack.com/services/T${drawn(9, UPPER)}/B${drawn(9, UPPER)}/${drawn(24)}`],
    ['a Stripe key', `sk_live_${drawn(24)}`],
    ['a Google API key', `AIza${drawn(35)}`],
    ['a Google client secret', `GOCSPX-${drawn(28)}`],
    ['an npm token', `npm_${drawn(36)}`],
    ['a PyPI token', `pypi-AgEI${drawn(80)}`],
    ['an age key', `AGE-SECRET-KEY-1${drawn(58, UPPER)}`],
    ['a Vault token', `hvs.${drawn(24)}`],
    ['a DigitalOcean token', `dop_v1_${drawn(64, HEX)}`],
    ['a SendGrid key', `SG.${drawn(22)}.${drawn(43)}`],
    ['a Docker Hub token', `dckr_pat_${drawn(27)}`],
    ['an Azure storage key', `AccountKey=${drawn(86)}==`],
    ['a signed token (JWT)', jwt()],
    ['registry credentials', base64(JSON.stringify({ auths: { 'r.example.com': { auth: base64(`ada:${drawn(12)}`) } } }))],
  ])('%s', (type, text) => {
    expect(found(`# first line\n  value: "${text}"\n`)).toEqual([`2:11 ${type}`]);
  });

  test('a password in a URL', () => {
    expect(found(`dsn: postgres://ada:${drawn(10)}@db.example.com/x\n`)).toEqual(['1:14 a password in a URL']);
  });

  test('the key of a kubeconfig', () => {
    expect(found(`users:\n- name: ada\n  user:\n    client-key-data: ${base64(pem('RSA '))}\n`)).toEqual(['4:22 a private key']);
  });

  test('the login of a registry', () => {
    expect(found(`{ "auths": { "r": { "auth": "${base64(`ada:${drawn(12)}`)}" } } }`)).toEqual(['1:30 registry credentials']);
  });

  test('a token in the data of a Secret', () => {
    expect(found(`apiVersion: v1\nkind: Secret\ndata:\n  x: ${base64(`ghp_${drawn(36)}`)} # mine\n`)).toEqual(['4:6 a GitHub token']);
  });

  test('any random value in the data of a Secret', () => {
    expect(found(`apiVersion: v1\nkind: Secret\ndata:\n  key: ${base64(drawn(40))}\n`)).toEqual(['4:8 a secret']);
  });
});

describe('V-80: finds by its name', () => {
  test.each([
    ['a password', `password: ${drawn(14)}!`],
    ['a password', `  "dbPassword": "${drawn(16)}",`],
    ['a password', `MYSQL_ROOT_PASSWORD=${drawn(20)}`],
    ['a password', `passwd = '${drawn(12)}%'`],
    ['a secret', `client_secret: ${drawn(32)}`],
    ['a secret', `aws_secret_access_key = ${drawn(36)}/+9z`],
    ['a secret', `signingKey: ${drawn(32, HEX)}`],
    ['a token', `token := "${drawn(30)}"`],
    ['an API key', `x-api-key: ${drawn(32)}`],
    ['a password', `- name: DB_PASSWORD\n  value: ${drawn(20)}`],
    ['a password', `password: ${base64(`${drawn(14)}!`)}`],
  ])('%s: %s', (type, text) => {
    expect(found(text).map((one) => one.replace(/^\S+ /, ''))).toEqual([type]);
  });

  test('a line and a column, the column in characters', () => {
    expect(found(`a: b\n\nñandú: { password: ${drawn(20)} }\n`)).toEqual(['3:20 a password']);
  });

  test('one a line, and twenty of a file', () => {
    expect(found(`a: ghp_${drawn(36)} ghp_${drawn(36)}\n`.repeat(30))).toHaveLength(20);
  });
});

describe('near misses', () => {
  test.each([
    ['documentation', 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE'],
    ['a placeholder', `token: ghp_${'x'.repeat(36)}`],
    ['words', 'password: correct-horse-battery-staple'],
    ['a template', 'password: {{config.password}}'],
    ['a variable', 'password: ${DB_PASSWORD}'],
    ['another variable', 'token: "$(TOKEN_A1B2C3D4)"'],
    ['a name of a Secret', 'secret: grafana-admin-credentials-v2'],
    ['a name that Kubernetes made', 'secret: default-token-x7k2p'],
    ['a field that is called like one', 'secretName: Kq7ZpT2vXw9LmB4nRd8H'],
    ['a path', 'token: /var/run/secrets/kubernetes.io/serviceaccount/token1'],
    ['a URL without password', 'token: https://login.example.com/oauth2/v2.0/x9Y8z7'],
    ['a URL with a placeholder', 'url: postgres://user:password@localhost:5432/x'],
    ['a number', 'token: 12345678901234567890'],
    ['yes', 'automountServiceAccountToken: true'],
    ['a member of a program', 'const secret = process.env.SECRET_A1B2;'],
    ['a digest', `token: sha256:${drawn(64, HEX)}`],
    ['an id', 'token: 123e4567-e89b-12d3-a456-426614174000'],
    ['a certificate', `-----BEGIN CERTIFICATE-----\n${drawn(64)}\n-----END CERTIFICATE-----\n`],
    ['a certificate in base64', `client-certificate-data: ${base64(`-----BEGIN CERTIFICATE-----\n${drawn(64)}\n`)}`],
    ['a public key', `-----BEGIN PUBLIC KEY-----\n${drawn(64)}\n`],
    ['a header without a key', 'It begins with -----BEGIN PRIVATE KEY----- and then comes the key.'],
    ['data of a Secret that says nothing', 'kind: Secret\ndata:\n  user: YWRtaW4=\n  password: cGFzc3dvcmQ=\n  api: c3RvcmFnZW9z\n'],
    ['what is sealed', `kind: SealedSecret\nspec:\n  encryptedData:\n    password: Ag${drawn(300)}==\n`],
    ['what is encrypted', `password: ENC[AES256_GCM,data:${drawn(20)},tag:x,type:str]`],
    ['a digest outside of names', `image: registry.example.com/web@sha256:${drawn(64, HEX)}`],
    ['a lock entry', `gitTree: ${drawn(40, HEX)}\nsha256: ${drawn(64, HEX)}`],
    ['a token that is none', `header: eyJ${drawn(20)}.eyJ${drawn(20)}.${drawn(43)}`],
    ['a longer word', `mighp_${drawn(36)}`],
    ['a name of a program', 'privateKey: privateKeyPkcs8,'],
    ['a comparison', 'return e.keywordToken===102&&e.name.escapedText9;'],
    ['a urn', "'Lock-Token': 'urn:uuid:a515cfa4-5da4-22e1-f5b5-00a0451e6bf7'"],
    ['the token that everybody shows', jwt({ sub: '1234567890', name: 'John Doe' })],
  ])('V-80: %s is fine', (_, text) => {
    expect(found(text)).toEqual([]);
  });

  test('V-80: what is no text is fine', () => {
    expect(findSecrets(Buffer.concat([Buffer.from([0]), Buffer.from(`ghp_${drawn(36)}`)]))).toEqual([]);
  });
});

test('of a rendered object only what its form alone says is refused', () => {
  expect(knownSecretIn(`token: ghp_${drawn(36)}`)).toBe('a GitHub token');
  expect(knownSecretIn(`token: ${jwt()}`)).toBeUndefined();
  expect(knownSecretIn(`password: ${drawn(20)}`)).toBeUndefined();
});

test.each([
  ['://a:bbbbbbb'],
  [' eyJaaaaaaaaaaaa.eyJbbbbbbbbbbbbbbb.'],
  ['+LS0tLS1CRUdJTi'],
  ['+eyJhdXRocyI6'],
  ['token:'],
  ['token:"'],
  ['password=a'],
  [`name: ${'a'.repeat(80)}\n`],
  ['name: token\n'],
  ['-----BEGIN '],
  [`-----BEGIN PRIVATE KEY-----${' '.repeat(81)}`],
  ['kind: Secret\n data: abc\n'],
  [`kind: Secret\n a:${'A'.repeat(60_000)}\n`],
])('a mebibyte of %j is looked through in less than a second', (part) => {
  const bytes = Buffer.from(part.repeat(Math.ceil(1_048_576 / part.length)));
  const from = performance.now();
  expect(findSecrets(bytes).length).toBeLessThanOrEqual(20);
  expect(performance.now() - from).toBeLessThan(1000);
});
