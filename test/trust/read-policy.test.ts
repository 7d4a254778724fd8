import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { parseDeclaration } from '#desired/desired.ts';
import type { Project } from '#model/declarations.generated.ts';
import { toBlobId } from '#model/digest.ts';
import type { Problem } from '#model/problem.ts';
import { entry, keyOf, project } from '#test/trust/build-history.ts';
import { entriesFor, readTrustPolicy, trustFiles } from '#trust/trust.ts';

type Row = NonNullable<Project['spec']['trust']>[number];

const PEM = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString();
const ARMOUR = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n';
const ROOT = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUJouIO6uXenViUdW/edBIUXV4/CcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJQWNtZSBSb290MCAXDTI2MTEyMjAwNTEwMFoYDzIxMjYxMDI5
MDA1MTAwWjAUMRIwEAYDVQQDDAlBY21lIFJvb3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARyv4CGl5uswzbLETfq7fSqBcOnM871B7eENxykZ3dOajnAo0kIxLRo
TiLB4ErLGP0JI44XcfBVHB47HwqPe7aIo1MwUTAdBgNVHQ4EFgQUuerKvM/o2Thb
H0YPxLhZoHAuvmkwHwYDVR0jBBgwFoAUuerKvM/o2ThbH0YPxLhZoHAuvmkwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAZZblkG17jzbSb+ybwB3xF
c7i55AKpLMy6xoWQBoMtiwIhALVHlE21C2H1dzGizJwXgvwzo3/I2pzskTjdQY5A
G4e9
-----END CERTIFICATE-----
`;
const LEAF = `-----BEGIN CERTIFICATE-----
MIIBcTCCARigAwIBAgIUFh/srOO8iHmLo5z5jwBHBEO8rXIwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjIwMDUxMDBaGA8yMTI2MTAyOTAwNTEw
MFowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAvW
eXhZWaf/35hA3dBIp0jEpVDtOD+xKRP3FJFfwzGc0IXAzlScFEF7K4TVgPr2qhSF
br8cvlCWZwJ64PPNgD+jUDBOMB0GA1UdDgQWBBShEn9MgFWmPM61YnO9qY0fz2+6
pTAfBgNVHSMEGDAWgBShEn9MgFWmPM61YnO9qY0fz2+6pTAMBgNVHRMBAf8EAjAA
MAoGCCqGSM49BAMCA0cAMEQCIGZNov/t5kGyzZRoZPtIz0iXalDLIOyRlOMBkail
YQ70AiBvEuW+yCDfBn/wpqnLMTkibwTeyjNIeLQT8cSX4I642A==
-----END CERTIFICATE-----
`;
const WEAK = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'pem', type: 'spki' }).toString();
const ODD = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'pem', type: 'spki' }).toString();
const TRUSTED_ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

const FILES = new Map(
  Object.entries({
    'policies/trust/carol.asc': { text: ARMOUR },
    'policies/trust/release.pub': { text: PEM },
    'policies/trust/root.pem': { text: ROOT },
    'policies/trust/leaf.pem': { text: LEAF },
    'policies/trust/weak.pub': { text: WEAK },
    'policies/trust/odd.pub': { text: ODD },
    'policies/trust/trusted_root.json': { text: TRUSTED_ROOT },
    'policies/trust/gone.pub': { unread: 'it is not there' },
    'docs/release.pub': { text: PEM },
  }),
);

const words = (problems: readonly Problem[]): readonly string[] =>
  problems.map((problem) => `${problem.code} ${problem.place.pointer}: ${problem.message}`);

function read(...rows: readonly Row[]) {
  return readTrustPolicy(project(...rows), FILES);
}

const SSH = entry('ada', ['commit']);
const KINDS: readonly Row[] = [
  { ...SSH, user: 'Ada', namespaces: ['git'], paths: ['environments/dev/**'] },
  { name: 'carol', openpgpKey: { file: 'policies/trust/carol.asc' }, for: ['commit'] },
  { name: 'release', publicKey: { file: 'policies/trust/release.pub' }, for: ['image'] },
  { name: 'inline', publicKey: PEM, for: ['evidence'] },
  { name: 'ci', issuer: 'https://token.example', identityPattern: 'https://github.com/acme/.*', for: ['capsule'] },
  { name: 'exact', issuer: 'https://token.example', identity: 'ci@acme.example', for: ['capsule'] },
  { name: 'staff', x509Root: { file: 'policies/trust/root.pem' }, identity: 'ada@acme.example', for: ['approval'] },
];

test('reads every kind of credential, from the text itself and from files of the repository', () => {
  const { policy, problems } = read(...KINDS);

  expect(problems).toEqual([]);
  expect(policy.entries.map(({ name, credential }) => [name, credential.kind])).toEqual([
    ['ada', 'ssh-key'],
    ['carol', 'openpgp-key'],
    ['release', 'public-key'],
    ['inline', 'public-key'],
    ['ci', 'keyless'],
    ['exact', 'keyless'],
    ['staff', 'x509-root'],
  ]);
  expect(policy.entries[4]?.credential).toEqual({
    kind: 'keyless',
    issuer: 'https://token.example',
    identity: { kind: 'pattern', pattern: 'https://github.com/acme/.*' },
  });
  expect([...policy.files]).toEqual(['policies/trust/carol.asc', 'policies/trust/release.pub', 'policies/trust/root.pem']);
  expect([...policy.enforced]).toEqual(['commit', 'image', 'evidence', 'capsule', 'approval']);
});

test('only files that stand where changes are judged are asked for, each with a limit', () => {
  const rows: Row[] = [
    { name: 'a', publicKey: { file: 'policies/a.pub' }, for: ['image'] },
    { name: 'b', publicKey: { file: 'docs/b.pub' }, for: ['image'] },
    { name: 'c', publicKey: { file: 'policies/../docs/c.pub' }, for: ['image'] },
    { name: 'd', publicKey: { file: '/etc/passwd' }, for: ['image'] },
    { name: 'e', openpgpKey: { file: 'environments/prod/e.asc' }, for: ['commit'] },
    { name: 'f', x509Root: { file: 'capsules/web/root.pem' }, for: ['commit'] },
  ];

  expect([...trustFiles(project(...rows).value)]).toEqual([
    ['policies/a.pub', 262_144],
    ['environments/prod/e.asc', 262_144],
  ]);
});

const HOPELESS: readonly [string, Row, string][] = [
  [
    'a file outside of what is judged',
    { name: 'x', publicKey: { file: 'docs/release.pub' }, for: ['image'] },
    'unusable-trust-entry /spec/trust/0/publicKey/file: trust entry x: "docs/release.pub" is not read: it does not stand below policies/ or environments/, where changes are judged',
  ],
  [
    'a file that is not there',
    { name: 'x', publicKey: { file: 'policies/trust/gone.pub' }, for: ['image'] },
    'unusable-trust-entry /spec/trust/0/publicKey/file: trust entry x: "policies/trust/gone.pub" cannot be read: it is not there',
  ],
  [
    'a key that is too weak',
    { name: 'x', publicKey: { file: 'policies/trust/weak.pub' }, for: ['image'] },
    'unusable-trust-entry /spec/trust/0/publicKey/file: trust entry x: "policies/trust/weak.pub" cannot be used: an RSA key of 1024 bits is too weak; 2048 are needed',
  ],
  [
    'a curve that nobody vouches for',
    { name: 'x', publicKey: { file: 'policies/trust/odd.pub' }, for: ['image'] },
    'unusable-trust-entry /spec/trust/0/publicKey/file: trust entry x: "policies/trust/odd.pub" cannot be used: its curve is not P-256, P-384 or P-521',
  ],
  [
    'two keys in one text',
    { name: 'x', publicKey: PEM + PEM, for: ['image'] },
    'unusable-trust-entry /spec/trust/0/publicKey: trust entry x: the public key cannot be used: it is not one PUBLIC KEY in PEM',
  ],
  [
    'a key that is kept elsewhere',
    { name: 'x', publicKey: { secretRef: { provider: 'env', key: 'KEY' } }, for: ['image'] },
    'unusable-trust-entry /spec/trust/0/publicKey/secretRef: trust entry x: a key that is kept elsewhere (secretRef of provider env) is not read: whoever verifies offline must have it',
  ],
  [
    'a certificate that is no authority',
    { name: 'x', x509Root: { file: 'policies/trust/leaf.pem' }, for: ['commit'] },
    'unusable-trust-entry /spec/trust/0/x509Root/file: trust entry x: "policies/trust/leaf.pem" cannot be used: it is not the certificate of an authority (CA:TRUE)',
  ],
  [
    'a file that holds something else',
    { name: 'x', openpgpKey: { file: 'policies/trust/release.pub' }, for: ['commit'] },
    'unusable-trust-entry /spec/trust/0/openpgpKey/file: trust entry x: "policies/trust/release.pub" cannot be used: it is not one armoured PGP PUBLIC KEY BLOCK',
  ],
  [
    'an issuer that would mean anyone',
    { name: 'x', issuer: 'https://token.example', for: ['image'] },
    'unusable-trust-entry /spec/trust/0/issuer: trust entry x: an issuer alone would mean anyone whom it knows',
  ],
  [
    'identity and pattern at once',
    { name: 'x', issuer: 'https://token.example', identity: 'a', identityPattern: 'b', for: ['image'] },
    'unusable-trust-entry /spec/trust/0/identityPattern: trust entry x: identity and identityPattern exclude each other',
  ],
  [
    'a pattern that closes the group around it',
    { name: 'x', issuer: 'https://token.example', identityPattern: 'a)|(?:.*', for: ['image'] },
    'unusable-trust-entry /spec/trust/0/identityPattern: trust entry x: "a)|(?:.*" is no regular expression of RE2',
  ],
  [
    'a pattern that quotes what anchors it',
    { name: 'x', issuer: 'https://token.example', identityPattern: String.raw`\Qabc`, for: ['image'] },
    String.raw`unusable-trust-entry /spec/trust/0/identityPattern: trust entry x: "\Qabc" is no regular expression of RE2`,
  ],
  [
    'a path that matches nothing that is judged',
    { ...SSH, paths: ['docs/**'] },
    'unusable-trust-entry /spec/trust/0/paths/0: trust entry ada: the path "docs/**" cannot be used: it must begin with capsules/, environments/, policies/ or **',
  ],
  [
    'a time that means another moment on another machine',
    { ...SSH, validUntil: '2026-06-30T12:00:00' },
    'unusable-trust-entry /spec/trust/0/validUntil: trust entry ada: "2026-06-30T12:00:00" is no date, and no time with its zone (2027-01-31T00:00:00Z)',
  ],
  [
    'a day that does not exist',
    { ...SSH, validFrom: '2026-13-45' },
    'unusable-trust-entry /spec/trust/0/validFrom: trust entry ada: "2026-13-45" is no date, and no time with its zone (2027-01-31T00:00:00Z)',
  ],
  [
    'an end before the beginning',
    { ...SSH, validFrom: '2026-06-02', validUntil: '2026-06-01' },
    'unusable-trust-entry /spec/trust/0/validUntil: trust entry ada: it ends before it begins',
  ],
  [
    'namespaces of a key that has none',
    { name: 'x', publicKey: PEM, namespaces: ['git'], for: ['image'] },
    'unusable-trust-entry /spec/trust/0/namespaces: trust entry x: only signatures of SSH keys have namespaces',
  ],
  [
    'an identity without an issuer',
    { ...SSH, identity: 'ada' },
    'unusable-trust-entry /spec/trust/0/identity: trust entry ada: an identity belongs to an issuer or a root certificate',
  ],
];

test.each(HOPELESS)('an entry with %s is a problem at its place, vouches for nothing and enforces its purpose', (_, row, problem) => {
  const { policy, problems } = read(row);

  expect(words(problems)).toEqual([problem]);
  expect(policy.entries).toEqual([]);
  expect([...policy.enforced]).toEqual(row.for);
});

test('all problems of all entries are told at once, and those that can be used are', () => {
  const { policy, problems } = read({ ...SSH, paths: ['docs/**', 'environments//x'] }, entry('bob', ['commit']));

  expect(problems.map((problem) => problem.place.pointer)).toEqual(['/spec/trust/0/paths/0', '/spec/trust/0/paths/1']);
  expect(policy.entries.map((one) => one.name)).toEqual(['bob']);
});

test('of two entries with one name the first counts', () => {
  const { policy, problems } = read(SSH, { ...entry('bob', ['commit']), name: 'ada' });

  expect(policy.entries.map(({ credential }) => credential)).toMatchObject([{ kind: 'ssh-key', key: SSH.sshKey }]);
  expect(words(problems)).toEqual(['unusable-trust-entry /spec/trust/1/name: trust entry ada: an earlier entry has the same name']);
});

describe('the trusted root of sigstore', () => {
  const withRoot = (file: string) => {
    const declared = project(SSH);
    const value: Project = { ...declared.value, spec: { ...declared.value.spec, sigstore: { trustedRoot: { file } } } };
    return readTrustPolicy({ ...declared, value }, FILES);
  };

  test('is read from a file that is judged', () => {
    expect(withRoot('policies/trust/trusted_root.json').policy.trustedRoot).toMatchObject({ text: TRUSTED_ROOT });
  });

  test.each([
    ['docs/trusted_root.json', /does not stand below policies/],
    ['policies/trust/root.pem', /is no trusted root/],
    ['policies/trust/gone.json', /it is not there/],
  ])('at %s is a problem, and none is used', (file, message) => {
    const { policy, problems } = withRoot(file);

    expect(problems).toMatchObject([{ code: 'unusable-trusted-root', place: { pointer: '/spec/sigstore/trustedRoot/file' } }]);
    expect(problems[0]?.message).toMatch(message);
    expect(policy.trustedRoot).toBeUndefined();
  });
});

describe('a mistake inside of the trusted root', () => {
  test('is a problem with its line in that file', () => {
    const declared = project(SSH);
    const file = 'policies/trust/trusted_root.json';
    const value: Project = { ...declared.value, spec: { ...declared.value.spec, sigstore: { trustedRoot: { file } } } };
    const text = JSON.stringify(
      {
        mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
        tlogs: [{ baseUrl: 'https://log.acme.example', publicKey: { rawBytes: '', validFor: {} } }],
      },
      undefined,
      2,
    );

    const { policy, problems } = readTrustPolicy({ ...declared, value }, new Map([...FILES, [file, { text }]]));

    expect(problems).toMatchObject([
      {
        code: 'unusable-trusted-root',
        message: `"${file}" is no trusted root of sigstore: /tlogs/0/publicKey/validFor/start is missing: nothing is trusted since ever`,
        place: { file, line: 8 },
      },
    ]);
    expect(policy.trustedRoot).toBeUndefined();
  });
});

describe('thresholds', () => {
  type Threshold = NonNullable<Project['spec']['thresholds']>[number];
  const withThreshold = (threshold: Threshold, ...rows: readonly Row[]) => {
    const declared = project(...rows);
    return readTrustPolicy({ ...declared, value: { ...declared.value, spec: { ...declared.value.spec, thresholds: [threshold] } } }, FILES);
  };

  test.each<[string, Threshold, readonly string[]]>([
    [
      'an entry that is not declared',
      { name: 'two', for: ['commit'], of: ['ada', 'bob', 'boob'], atLeast: 2 },
      [
        'reference-undeclared /spec/thresholds/0/of/2: /spec/thresholds/0/of/2 names trust entry "boob", which is not declared (known: ada, bob); did you mean "bob"?',
      ],
    ],
    [
      'more people than there are',
      { name: 'three', for: ['commit'], atLeast: 3 },
      [
        'unusable-threshold /spec/thresholds/0/atLeast: threshold three: 3 people must sign for commit, but its entries are of 2: nothing can pass',
      ],
    ],
    [
      'a path that cannot be read',
      { name: 'two', for: ['commit'], paths: ['prod'], atLeast: 2 },
      [
        'unusable-threshold /spec/thresholds/0/paths/0: threshold two: the path "prod" cannot be used: it must begin with capsules/, environments/, policies/ or **',
      ],
    ],
  ])('with %s are problems, and hold all the same', (_, threshold, expected) => {
    const { policy, problems } = withThreshold(threshold, SSH, entry('bob', ['commit']));

    expect(words(problems)).toEqual(expected);
    // Paths that cannot be read could mean any: it holds everywhere.
    expect(policy.thresholds).toMatchObject([{ name: threshold.name, paths: undefined, atLeast: threshold.atLeast }]);
  });

  test('two entries of one person are one', () => {
    const twice = withThreshold(
      { name: 'two', for: ['commit'], atLeast: 2 },
      { ...SSH, user: 'ada' },
      { ...entry('bob', ['commit']), user: 'ADA' },
    );

    expect(twice.problems.map((problem) => problem.code)).toEqual(['unusable-threshold']);
  });
});

describe('the digest of a policy', () => {
  const digest = (...rows: readonly Row[]): string => read(...rows).policy.digest;

  test('is the same for the same rules, wherever they stand', () => {
    const moved = project(...KINDS);

    expect(readTrustPolicy({ ...moved, at: () => ({ file: 'x', line: 7, column: 7, pointer: '' }) }, FILES).policy.digest).toBe(
      digest(...KINDS),
    );
  });

  test.each<[string, Row]>([
    ['purpose', { ...SSH, for: ['commit', 'capsule'] }],
    ['path', { ...SSH, paths: ['policies/**'] }],
    ['end', { ...SSH, validUntil: '2026-07-01' }],
    ['key', { ...SSH, sshKey: entry('bob', []).sshKey ?? '' }],
    ['person', { ...SSH, user: 'ada' }],
    ['namespace', { ...SSH, namespaces: ['git'] }],
  ])('changes with each %s', (_, row) => {
    expect(digest(row)).not.toBe(digest(SSH));
  });

  test('changes with the content of a file', () => {
    const rows: Row[] = [{ name: 'carol', openpgpKey: { file: 'policies/trust/carol.asc' }, for: ['commit'] }];
    const other = new Map([...FILES, ['policies/trust/carol.asc', { text: ARMOUR.replace('mDMEZ', 'mDMEY') }] as const]);

    expect(readTrustPolicy(project(...rows), other).policy.digest).not.toBe(digest(...rows));
  });
});

test('entries with paths count there and nowhere else, and none of them where there is no path', () => {
  const { policy } = read({ ...SSH, paths: ['environments/prod/**'] }, entry('bob', ['commit', 'image']));
  const names = (...asked: [purpose: 'commit' | 'image', path?: string]): readonly string[] =>
    entriesFor(policy, ...asked).map((one) => one.name);

  expect(names('commit', 'environments/prod/environment.yaml')).toEqual(['ada', 'bob']);
  expect(names('commit', 'environments/dev/environment.yaml')).toEqual(['bob']);
  expect(names('commit')).toEqual(['bob']);
  expect(names('image', 'environments/prod/environment.lock.yaml')).toEqual(['bob']);
});

test('an SSH key is known by the digest that bundles name keys by, except a security key, which signs no bundles', () => {
  const { policy } = read(SSH);

  expect(policy.entries[0]?.credential).toMatchObject({ kind: 'ssh-key', spkiSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(keyOf('a').publicKey.application).toBeUndefined();
});

test('the example of docs/trust.md is a policy without a problem', () => {
  const page = readFileSync(new URL('../../docs/trust.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n(# environments\/project\.yaml\napiVersion[\s\S]*?)```/.exec(page) ?? [];
  const parsed = parseDeclaration({ path: 'environments/project.yaml', id: toBlobId('0'.repeat(40)), bytes: Buffer.from(example) });
  const declared = parsed.document?.kind === 'project' ? parsed.document.declared : undefined;
  const files = new Map(
    Object.entries({
      'policies/trust/carol.asc': { text: ARMOUR },
      'policies/trust/contractors.pem': { text: ROOT },
      'policies/trust/scanner.pub': { text: PEM },
      'policies/trust/trusted_root.json': { text: TRUSTED_ROOT },
    }),
  );

  const { policy, problems } = readTrustPolicy(declared, files);

  expect(parsed.problems).toEqual([]);
  expect(words(problems)).toEqual([]);
  expect(policy.entries.map((one) => one.name)).toEqual(['ada', 'carol', 'contractors', 'release', 'scanner', 'engine']);
  expect(policy.thresholds.map((one) => one.name)).toEqual(['policy-by-two', 'prod-by-two']);
  expect(policy.trustedRoot?.path).toBe('policies/trust/trusted_root.json');
});
