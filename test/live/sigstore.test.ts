import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { bundleToJSON } from '@sigstore/bundle';
import { DSSEBundleBuilder, FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } from '@sigstore/sign';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openCosignKey } from '#adapters/sigstore/cosign-key.ts';
import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { toSecret } from '#model/secret.ts';
import type { SignatureFinding } from '#model/signature-finding.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { identityToken, NO_SERVICES, sigstoreServices } from '#test/servers/sigstore-services.ts';
import type { SigstoreServices } from '#test/servers/sigstore-services.ts';
import { authorities, jsonBytes, statementAbout } from '#test/sigstore-authorities.ts';

const bundles = sigstoreBundles();
const folder = mkdtempSync(join(tmpdir(), 'capstan-sigstore-'));
const cosign = programPath('cosign');
const env = { HOME: folder, COSIGN_PASSWORD: 'open sesame', COSIGN_YES: 'true', PATH: '/usr/bin:/bin' };
const CONTENT = Buffer.from('what was built\n');
const TYPE = 'https://acme.example/tested/v1';

beforeAll(() => {
  write('artifact', CONTENT);
  write('other', 'something else\n');
  write('predicate.json', '{"passed":true}');
  write('services.json', JSON.stringify(NO_SERVICES));
});

afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content);
}

function run(...args: readonly string[]): void {
  execFileSync(cosign, args, { cwd: folder, env, stdio: 'pipe', timeout: 20_000 });
}

function accepts(...args: readonly string[]): boolean {
  return spawnSync(cosign, args, { cwd: folder, env, timeout: 60_000 }).status === 0;
}

function outcome(finding: SignatureFinding): string {
  return finding.kind === 'verified' ? 'verified' : finding.code;
}

function byKey(name: string, pem: string, bytes: Uint8Array = CONTENT): string {
  return outcome(
    bundles.verify({
      bundle: readFileSync(join(folder, name)),
      subject: { kind: 'bytes', bytes },
      credentials: [{ kind: 'public-key', pem }],
      trustedRoot: undefined,
    }),
  );
}

const KINDS = {
  ed25519: { hash: null, make: () => generateKeyPairSync('ed25519') },
  'P-256': { hash: 'sha256', make: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
  'P-384': { hash: 'sha384', make: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }) },
  rsa: { hash: 'sha256', make: () => generateKeyPairSync('rsa', { modulusLength: 3072 }) },
} as const;

function keyOf(kind: keyof typeof KINDS) {
  const { publicKey, privateKey } = KINDS[kind].make();
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  write(`${kind}.pub`, publicKeyPem);
  write(`${kind}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return { publicKeyPem, sign: async (bytes: Uint8Array) => sign(KINDS[kind].hash, bytes, privateKey) };
}

describe('bundles signed with a key', () => {
  // cosign 3.1.3 checks everything that a P-384 key signed with SHA-256, its own signatures included.
  it.each(['ed25519', 'P-256', 'rsa'] as const)(
    'of kind %s are made here and accepted by cosign, for their content alone',
    async (kind) => {
      const key = keyOf(kind);
      write('ours.envelope', await bundles.sign({ payloadType: 'application/vnd.in-toto+json', payload: statementAbout(CONTENT), key }));
      write('ours.message', await bundles.signBytes(CONTENT, key));
      const asked = ['--key', `${kind}.pub`, '--insecure-ignore-tlog=true'];
      const attested = (file: string) => accepts('verify-blob-attestation', '--type', TYPE, ...asked, '--bundle', 'ours.envelope', file);
      const signed = (file: string) => accepts('verify-blob', ...asked, '--bundle', 'ours.message', file);

      expect([attested('artifact'), attested('other'), signed('artifact'), signed('other')]).toEqual([true, false, true, false]);
      expect([byKey('ours.envelope', key.publicKeyPem), byKey('ours.message', key.publicKeyPem)]).toEqual(['verified', 'verified']);
    },
  );

  it.each(['ed25519', 'P-256', 'P-384', 'rsa'] as const)(
    'of kind %s are made by cosign and accepted here, for their content alone',
    (kind) => {
      const { publicKeyPem } = keyOf(kind);
      run('import-key-pair', '--key', `${kind}.pem`, '--output-key-prefix', `imported-${kind}`);
      const asked = ['--key', `imported-${kind}.key`, '--signing-config', 'services.json', '--bundle'];
      run('sign-blob', ...asked, 'theirs.message', 'artifact');
      run('attest-blob', '--type', TYPE, '--predicate', 'predicate.json', ...asked, 'theirs.envelope', 'artifact');
      const stranger = keyOf('P-256').publicKeyPem;

      for (const name of ['theirs.message', 'theirs.envelope']) {
        expect([name, byKey(name, publicKeyPem)]).toEqual([name, 'verified']);
        expect([name, byKey(name, stranger)]).toEqual([name, 'unknown-key']);
        expect([name, byKey(name, publicKeyPem, Buffer.from('something else\n'))]).not.toContain('verified');
      }
    },
  );
});

describe('a trusted root that cosign wrote', () => {
  it('is read, with everything it names', async () => {
    const { root } = await authorities();
    const certificate = Buffer.from(root.certificateAuthorities[0].certChain.certificates[0].rawBytes, 'base64');
    write('ca.pem', `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`);
    keyOf('P-256');
    keyOf('ed25519');
    const log = 'start-time=2024-01-01T00:00:00Z';
    run(
      'trusted-root',
      'create',
      '--fulcio=url=https://ca.acme.example,certificate-chain=ca.pem',
      `--rekor=url=https://log.acme.example,public-key=ed25519.pub,${log},end-time=2027-01-01T00:00:00Z,origin=log.acme.example`,
      `--ctfe=url=https://ct.acme.example,public-key=P-256.pub,${log}`,
      '--out=theirs.root.json',
    );

    expect(bundles.readRoot(readFileSync(join(folder, 'theirs.root.json')))).toMatchObject({
      ok: true,
      witnesses: [
        { kind: 'certificate-authority', name: 'https://ca.acme.example' },
        { kind: 'certificate-log', name: 'https://ct.acme.example', from: Date.parse('2024-01-01T00:00:00Z'), until: undefined },
        { kind: 'signature-log', name: 'https://log.acme.example', until: Date.parse('2027-01-01T00:00:00Z') },
      ],
    });
  });
});

describe('a key that cosign made', () => {
  it('is opened by COSIGN_PASSWORD, and signs what cosign accepts', async () => {
    run('generate-key-pair', '--output-key-prefix', 'made');
    const pem = await openCosignKey(readFileSync(join(folder, 'made.key'), 'utf8'), toSecret(env.COSIGN_PASSWORD));
    const privateKey = createPrivateKey(pem.reveal());
    const publicKeyPem = readFileSync(join(folder, 'made.pub'), 'utf8');
    const key = { publicKeyPem, sign: async (bytes: Uint8Array) => sign('sha256', bytes, privateKey) };
    write('ours.envelope', await bundles.sign({ payloadType: 'application/vnd.in-toto+json', payload: statementAbout(CONTENT), key }));
    const asked = [
      'verify-blob-attestation',
      '--type',
      TYPE,
      '--key',
      'made.pub',
      '--insecure-ignore-tlog=true',
      '--bundle',
      'ours.envelope',
    ];

    expect([accepts(...asked, 'artifact'), accepts(...asked, 'other')]).toEqual([true, false]);
  });
});

const ISSUER = 'https://issuer.acme.example';
const ADA = 'https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main';
const MALLORY = 'https://github.com/mallory/web/.github/workflows/release.yml@refs/heads/main';

describe('keyless, with authorities of our own on loopback', () => {
  let running: SigstoreServices;
  beforeAll(async () => {
    running = await sigstoreServices();
    write('root.json', jsonBytes(running.acme.root));
  });
  afterAll(() => running.close());

  function builder(kind: 'message' | 'envelope', identity: string) {
    const claims = { iss: ISSUER, sub: identity, aud: 'sigstore', exp: 4_102_444_800 };
    const options = {
      signer: new FulcioSigner({ fulcioBaseURL: running.url, identityProvider: { getToken: async () => identityToken(claims) } }),
      witnesses: [
        new RekorWitness({ rekorBaseURL: running.url, entryType: 'intoto' as const }),
        new TSAWitness({ tsaBaseURL: running.url }),
      ],
    };
    return kind === 'message' ? new MessageSignatureBundleBuilder(options) : new DSSEBundleBuilder(options);
  }

  async function made(kind: 'message' | 'envelope', identity: string): Promise<string> {
    const artifact = kind === 'message' ? { data: CONTENT } : { data: statementAbout(CONTENT), type: 'application/vnd.in-toto+json' };
    const bundle = await builder(kind, identity).create(artifact);
    const name = `${kind}.sigstore.json`;
    write(name, JSON.stringify(bundleToJSON(bundle)));
    return name;
  }

  function judged(name: string, identity: string, more: Partial<BundleQuestion> = {}): SignatureFinding {
    return bundles.verify({
      bundle: readFileSync(join(folder, name)),
      subject: { kind: 'bytes', bytes: CONTENT },
      credentials: [{ kind: 'keyless', issuer: ISSUER, identity: { kind: 'exact', identity } }],
      trustedRoot: readFileSync(join(folder, 'root.json')),
      ...more,
    });
  }

  it.each(['message', 'envelope'] as const)('a %s is accepted from whom it is of, and from nobody else', async (kind) => {
    const name = await made(kind, ADA);

    expect(judged(name, ADA)).toMatchObject({
      kind: 'verified',
      fact: { signer: { issuer: ISSUER, identity: ADA }, seenBy: [running.url, 'https://time.acme.example'] },
    });
    expect(outcome(judged(name, MALLORY))).toBe('wrong-identity');
    expect(outcome(judged(name, ADA, { subject: { kind: 'bytes', bytes: Buffer.from('something else\n') } }))).toBe('wrong-digest');
    expect(outcome(judged(name, ADA, { trustedRoot: jsonBytes((await authorities()).root) }))).not.toBe('verified');
  });

  it.each(['message', 'envelope'] as const)('cosign says the same of that %s', async (kind) => {
    const name = await made(kind, ADA);
    const verb = kind === 'message' ? ['verify-blob'] : ['verify-blob-attestation', '--type', TYPE];
    const cosignAccepts = (identity: string, file: string) =>
      accepts(
        ...verb,
        '--bundle',
        name,
        '--trusted-root',
        'root.json',
        '--use-signed-timestamps',
        '--certificate-identity',
        identity,
        '--certificate-oidc-issuer',
        ISSUER,
        file,
      );

    expect([cosignAccepts(ADA, 'artifact'), cosignAccepts(MALLORY, 'artifact'), cosignAccepts(ADA, 'other')]).toEqual([true, false, false]);
  });

  it('what cosign signs with these authorities is accepted here', async () => {
    write('ours.json', JSON.stringify(running.signingConfig));
    write('token', identityToken({ iss: ISSUER, sub: ADA, aud: 'sigstore', exp: 4_102_444_800, iat: 1_600_000_000 }));
    // Not `run`: that would keep the authorities of this very process from answering.
    const args = [
      'sign-blob',
      '--signing-config',
      'ours.json',
      '--trusted-root',
      'root.json',
      '--identity-token',
      'token',
      '--bundle',
      'theirs.sigstore.json',
      'artifact',
    ];
    await promisify(execFile)(cosign, args, { cwd: folder, env, timeout: 20_000 });

    expect(outcome(judged('theirs.sigstore.json', ADA))).toBe('verified');
    expect(outcome(judged('theirs.sigstore.json', MALLORY))).toBe('wrong-identity');
  });
});
