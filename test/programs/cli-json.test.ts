import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import formats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { scriptedRegistry } from '#test/adapters/oci/scripted-registry.ts';
import { workbench } from './capstan-program.ts';
import type { Workbench } from './capstan-program.ts';

const OUTPUT = new URL('../../schemas/output/', import.meta.url);
const seen = new Set<string>();
let bench: Workbench;
let platform: string;

beforeAll(async () => {
  bench = await workbench();
  platform = await bench.platform();
});

afterAll(() => bench.close());

type Node = Record<string, unknown>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Outside, unknown fields are welcome; here a field that the schema does not know is a mistake. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isNode(schema)) return schema;
  const inside = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return isNode(schema['properties']) && schema['type'] === 'object' ? { additionalProperties: false, ...inside } : inside;
}

const validators = new Map(
  readdirSync(OUTPUT).map((file) => {
    const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false });
    formats.default(ajv);
    const schema = JSON.parse(readFileSync(new URL(file, OUTPUT), 'utf8')) as Node;
    return [String(schema['title']), ajv.compile(closed(schema) as Node)] as const;
  }),
);

/** Runs a command, and expects one JSON document of a kind on stdout, in the shape of its schema. */
async function document(kind: string, code: number, ...args: readonly string[]): Promise<Node> {
  return documentIn(platform, kind, code, ...args);
}

async function documentIn(folder: string, kind: string, code: number, ...args: readonly string[]): Promise<Node> {
  const ended = await bench.capstan(folder, ...args, '-o', 'json');
  expect([args.join(' '), ended.code, ended.code === code ? '' : ended.err]).toEqual([args.join(' '), code, '']);
  const parsed = JSON.parse(ended.out) as Node;
  expect(parsed).toMatchObject({ apiVersion: 'capstan.dev/v1alpha1', kind, formatVersion: 1 });
  const validate = validators.get(kind);
  if (validate === undefined) throw new Error(`there is no schema of ${kind}`);
  validate(parsed);
  expect([kind, validate.errors ?? []]).toEqual([kind, []]);
  seen.add(kind);
  return parsed;
}

test('what reads git alone', async () => {
  expect(await document('ValidationReport', 0, 'validate')).toMatchObject({ commit: null, summary: { errors: 0 }, problems: [] });
  const at = await bench.git(platform, 'rev-parse', 'main');
  expect(await document('Rendering', 0, 'render', 'dev', '--objects', '--rev', 'main')).toMatchObject({ environment: 'dev', revision: at });
  expect((await document('RenderingList', 0, 'render', '--all'))['items']).toHaveLength(3);
  await document('ProblemList', 0, 'explain', 'V-07');
  await document('ProblemList', 0, 'explain');
  await document('Version', 0, 'version');
  await document('Identity', 0, 'identity');
  await document('DeviceList', 0, 'get', 'devices');
  expect(await document('FormatReport', 0, 'fmt')).toMatchObject({ changed: [], problems: [] });
  expect(await document('InitReport', 0, 'init', '--dry-run', 'elsewhere')).toMatchObject({ source: null, dryRun: true });
  const layout = join(await bench.folder(), 'layout');
  await document('CapsuleArtifact', 0, 'capsule', 'pack', 'hello', '--out', layout);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(`${layout}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(`${layout}.pub`, publicKey.export({ type: 'spki', format: 'pem' }));
  await document('CapsuleSignature', 0, 'capsule', 'sign', layout, '--key', `${layout}.pem`);
  expect(await document('CapsuleVerdict', 0, 'capsule', 'verify', layout, '--key', `${layout}.pub`)).toMatchObject({ code: null });
  expect(await document('CapsuleVerdict', 3, 'capsule', 'verify', layout)).toMatchObject({ code: 'unknown-key', by: null });
  const manifests = await bench.folder();
  await writeFile(join(manifests, 'web.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n---\nkind: nothing\n');
  expect(await document('InitReport', 0, 'init', '--dry-run', '--from', manifests, 'elsewhere')).toMatchObject({
    source: { kind: 'manifests' },
    mapped: [{ file: 'web.yaml' }],
    leftOut: [{ file: 'web.yaml', line: 6 }],
    differences: [{ object: 'ConfigMap web' }],
  });
});

test('a bundle of sigstore, accepted and refused', async () => {
  const folder = await bench.folder();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const content = Buffer.from('signed');
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: '' } },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update(content).digest('base64') },
      signature: sign('sha256', content, privateKey).toString('base64'),
    },
  };
  const [file, key] = [join(folder, 'bundle.json'), join(folder, 'key.pub')];
  await writeFile(file, JSON.stringify(bundle));
  await writeFile(key, publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(folder, 'signed'), content);
  await writeFile(join(folder, 'other'), 'other');
  const asked = ['verify-bundle', '--bundle', file, '--key', key];
  expect(await document('BundleVerdict', 0, ...asked, join(folder, 'signed'))).toMatchObject({ verdict: 'accepted', code: null });
  expect(await document('BundleVerdict', 3, ...asked, join(folder, 'other'))).toMatchObject({ verdict: 'refused', code: 'wrong-digest' });
});

test('an image in a registry: accepted, refused, missing', async () => {
  const folder = await bench.folder();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = join(folder, 'key.pub');
  await writeFile(key, publicKey.export({ type: 'spki', format: 'pem' }));
  const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const artifactType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
  const image = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] });
  const bare = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [config] });
  const payloadType = 'application/vnd.in-toto+json';
  const statement = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'web', digest: { sha256: digestOf(image).slice(7) } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  });
  const sig = sign(
    'sha256',
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${statement.length} ${statement}`),
    privateKey,
  ).toString('base64');
  const bundle = JSON.stringify({
    mediaType: artifactType,
    verificationMaterial: { publicKey: { hint: '' } },
    dsseEnvelope: { payload: Buffer.from(statement).toString('base64'), payloadType, signatures: [{ sig }] },
  });
  const layers = [{ mediaType: artifactType, digest: digestOf(bundle), size: bundle.length }];
  const referrer = JSON.stringify({ schemaVersion: 2, mediaType, artifactType, config, layers });
  const index = 'application/vnd.oci.image.index.v1+json';
  const lists = new Map([[digestOf(image), [{ mediaType, artifactType, digest: digestOf(referrer), size: referrer.length }]]]);
  const contents = new Map([image, bare, referrer, bundle].map((text) => [digestOf(text), text]));
  const registry = await scriptedRegistry(({ path }) => {
    const digest =
      path
        .replace(/[?].*$/, '')
        .split('/')
        .at(-1) ?? '';
    if (path.includes('/referrers/'))
      return {
        status: 200,
        headers: { 'content-type': index },
        body: JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: lists.get(digest) ?? [] }),
      };
    const body = contents.get(digest);
    return body === undefined ? undefined : { status: 200, headers: { 'content-type': mediaType }, body };
  });
  try {
    const asked = (digest: string): readonly string[] => ['verify-image', '--key', key, `${registry.host}/acme/web@${digest}`];
    expect(await document('ImageVerdict', 0, ...asked(digestOf(image)))).toMatchObject({
      verdict: 'accepted',
      code: null,
      signatures: [{ predicateType: 'https://sigstore.dev/cosign/sign/v1' }],
    });
    expect(await document('ImageVerdict', 3, ...asked(digestOf(bare)))).toMatchObject({ verdict: 'refused', code: 'unsigned' });
    expect(await document('ImageVerdict', 1, ...asked(digestOf('nothing')))).toMatchObject({ verdict: 'missing', code: 'not-found' });
  } finally {
    await registry.close();
  }
});

test('the signature of a commit', async () => {
  const at = await bench.git(platform, 'rev-parse', 'main');
  expect(await document('Endorsement', 0, 'endorse', 'main')).toMatchObject({ commit: null, by: null, items: [] });
  expect(await document('SignatureVerdictList', 3, 'verify-commit', 'main', '--first-seen', '2026-01-01T00:00:00Z')).toMatchObject({
    revision: 'main',
    firstSeen: '2026-01-01T00:00:00.000Z',
    verdict: 'unsigned',
    code: 'unsigned',
    items: [{ kind: 'commit', id: at, signer: null }],
  });
});

test('a run, and what is there after it', async () => {
  expect(await document('Plan', 2, 'plan', 'dev', '--detailed-exitcode')).toMatchObject({ summary: { create: 3, keep: 0 } });
  expect(await document('Receipt', 0, 'reconcile', 'dev')).toMatchObject({ ending: 'settled', health: 'healthy' });
  expect(await document('EnvironmentStatus', 0, 'status', 'dev')).toMatchObject({ targets: [{ name: 'local', sync: 'Synced' }] });
  expect((await document('EnvironmentStatusList', 0, 'status'))['items']).toHaveLength(3);
  expect((await document('CapsuleList', 0, 'get', 'capsules'))['items']).toHaveLength(3);
  expect((await document('EnvironmentList', 0, 'get', 'environments'))['items']).toHaveLength(3);
  expect((await document('TargetList', 0, 'get', 'targets'))['items']).toHaveLength(3);
  expect((await document('RunList', 0, 'get', 'runs'))['items']).toHaveLength(1);
  expect((await document('HistoryList', 0, 'history'))['items']).toHaveLength(1);
  expect((await document('RunningList', 0, 'history', '--environment', 'dev', '--at', '0s'))['items']).toHaveLength(1);
  expect(await document('Verification', 0, 'verify')).toMatchObject({ commits: 2, records: 1, rendered: 1, problems: [] });
  await document('Diagnosis', 0, 'doctor');
});

test('a key, and another that follows it', async () => {
  const own = await bench.platform();
  const json = async (...args: readonly string[]) => JSON.parse((await bench.capstan(own, ...args, '-o', 'json')).out) as Node;
  await json('reconcile', 'dev');
  const next = await json('identity', 'new', '.capstan/next');
  const rotate = async () => documentIn(own, 'KeyRotation', 0, 'identity', 'rotate', '--to', '.capstan/next');

  expect(await documentIn(own, 'KeyRotation', 0, 'identity', 'rotate', '--to', '.capstan/next', '--dry-run')).toMatchObject({
    state: 'drafted',
    from: 'engine',
    commit: null,
    publicKey: next['publicKey'],
  });
  const { branch, commit, state } = await rotate();
  expect([state, (await rotate())['commit']]).toEqual(['proposed', commit]);
  await bench.git(own, 'merge', '--quiet', String(branch));
  expect(await rotate()).toMatchObject({ state: 'done', from: null, publicKey: next['publicKey'] });
  expect(await json('verify')).toMatchObject({ problems: [] });
  expect((await bench.capstan(own, 'identity', 'rotate', '--to', '.capstan/nowhere')).code).toBe(64);
  expect((await bench.capstan(own, 'identity', 'new', '.capstan/next')).code).toBe(64);
});

test('evidence that is signed, listed and judged, and a signed approval', async () => {
  const own = await bench.platform();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(own, '.capstan', 'ci.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(own, '.capstan', 'result.json'), JSON.stringify({ result: 'PASSED', passedTests: ['it greets'] }));
  const attested = ['attest', 'hello', '--type', 'tests', '--predicate', '.capstan/result.json', '--key', '.capstan/ci.pem'];
  expect(await documentIn(own, 'AddedEvidence', 0, ...attested)).toMatchObject({
    branch: 'evidence',
    items: [{ capsule: 'hello', isNew: true }],
  });
  expect((await bench.capstan(own, ...attested)).err).toContain('warning: this does not count:');
  const listed = async () => documentIn(own, 'EvidenceList', 0, 'evidence', 'hello', '--environment', 'prod');
  expect(await listed()).toMatchObject({
    items: [{ statements: [], refused: Array(2).fill({ for: 'tests', reason: expect.stringContaining('unknown-key') }) }],
  });

  const project = join(own, 'environments/project.yaml');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString().trim().replaceAll('\n', '\n        ');
  const before = await readFile(project, 'utf8');
  await writeFile(project, `${before.trimEnd()}\n    - name: ci\n      publicKey: |\n        ${pem}\n      for: [evidence]\n`);
  await bench.git(own, 'commit', '-qam', 'Trust ci');
  expect(await listed()).toMatchObject({ items: [{ statements: Array(2).fill({ for: 'tests', signer: 'ci' }), refused: [] }] });
  expect((await bench.capstan(own, ...attested)).err).not.toContain('warning');
  const scan = ['attest', 'hello', '--type', 'scan', '--predicate', '.capstan/result.json', '--key', '.capstan/ci.pem'];
  expect((await bench.capstan(own, ...scan)).code).toBe(1);

  const path = join(own, 'capsules/hello/capsule.yaml');
  await writeFile(
    path,
    (await readFile(path, 'utf8')).replace('version: 1.0.0', 'version: 1.0.1').replace('greeting: Hello', 'greeting: Salve'),
  );
  await bench.git(own, 'commit', '-qam', 'hello: greet in Latin');
  const next = JSON.parse((await bench.capstan(own, 'identity', 'new', '.capstan/ada', '-o', 'json')).out) as Node;
  expect(await documentIn(own, 'SignedApproval', 0, 'approve', 'dev', '--key', '.capstan/ada')).toMatchObject({
    environment: 'dev',
    sshKey: next['publicKey'],
    branch: 'evidence',
  });
  expect((await bench.capstan(own, 'approve', 'dev', '--key', '.capstan/ada')).err).toContain('warning: this approval does not count:');
  expect((await bench.capstan(own, 'approve', 'dev', 'cs-0123456789abcdef', '--key', '.capstan/ada')).code).toBe(1);
  expect((await bench.capstan(own, 'approve', 'dev')).code).toBe(64);
});

test('a new release, its difference and its promotion', async () => {
  const path = join(platform, 'capsules/hello/capsule.yaml');
  await writeFile(
    path,
    (await readFile(path, 'utf8')).replace('version: 1.0.0', 'version: 1.0.1').replace('greeting: Hello', 'greeting: Salve'),
  );
  await bench.git(platform, 'commit', '-qam', 'hello: greet in Latin');
  const { branch } = await document('PromotionDraft', 0, 'promote', 'dev');
  await bench.git(platform, 'merge', '--quiet', String(branch));
  expect(await document('RenderedDiff', 0, 'diff', '--base', 'HEAD~2', '--head', 'HEAD')).toMatchObject({
    environments: [{ name: 'dev', targets: [{ name: 'local' }] }],
  });
  await document('Receipt', 0, 'reconcile', 'dev');
  expect(await document('PromotionDraft', 0, 'promote', 'staging', '--dry-run')).toMatchObject({
    environment: 'staging',
    moves: [{ instance: 'hello', from: { version: '1.0.0' }, to: { version: '1.0.1' } }],
  });
  expect(await document('PromotionDraftList', 0, 'promote', 'prod', '--dry-run')).toMatchObject({ items: [] });
});

test('what goes wrong has its shape, too', async () => {
  const path = join(platform, 'environments/dev/environment.yaml');
  const before = await readFile(path, 'utf8');
  await writeFile(path, before.replace('risk: low', 'risk: none\n  rsik: low'));
  expect(await document('ValidationReport', 1, 'validate')).toMatchObject({ summary: { errors: 2 } });
  await bench.git(platform, 'commit', '-qam', 'A mistake');
  await document('ReceiptList', 1, 'reconcile', 'dev');
  await document('Plan', 1, 'plan', 'dev');
});

test('every output schema is printed by `capstan schema` and was seen here', async () => {
  expect([...validators.keys()].filter((kind) => !seen.has(kind))).toEqual([]);
  const listed = await bench.capstan(platform, 'schema');
  expect(listed.out.split('\n')).toEqual(expect.arrayContaining([...validators.keys(), 'Capsule', 'EnvironmentLock']));
  const one = await bench.capstan(platform, 'schema', 'validationreport');
  expect(one.out).toBe(await readFile(new URL('validation-report.schema.json', OUTPUT), 'utf8'));
});
