import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { createMessage, generateKey, sign } from 'openpgp';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { commitSignatures } from '#adapters/signatures/signatures.ts';
import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import type { CommitFinding, LookedUpCredential } from '#model/commit-finding.ts';

const PAYLOAD = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n');
const port = commitSignatures(async () => sigstoreBundles());
const KEYLESS: LookedUpCredential = { kind: 'keyless', issuer: 'https://issuer', identity: { kind: 'exact', identity: 'ada' } };
let folder = '';
let genuine: { readonly openpgp: Sample; readonly x509: Sample };

interface Sample {
  readonly bytes: Buffer;
  readonly credential: LookedUpCredential;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'capstan-bent-'));
  const { privateKey } = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'ada' }], format: 'object' });
  const signature = await sign({
    message: await createMessage({ binary: PAYLOAD }),
    signingKeys: privateKey,
    detached: true,
    format: 'binary',
  });
  writeFileSync(join(folder, 'payload'), PAYLOAD);
  const openssl = (...args: readonly string[]): Buffer =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const names = ['-subj', '/CN=ada', '-addext', 'keyUsage=digitalSignature,keyCertSign'];
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'key',
    '-out',
    'certificate',
    ...names,
  );
  const cms = openssl('cms', '-sign', '-binary', '-outform', 'DER', '-signer', 'certificate', '-inkey', 'key', '-in', 'payload');
  const pem = readFileSync(join(folder, 'certificate'), 'utf8');
  genuine = {
    openpgp: {
      bytes: Buffer.from(signature as Uint8Array),
      credential: { kind: 'openpgp-key', armoured: privateKey.toPublic().armor().replaceAll('\r\n', '\n') },
    },
    x509: { bytes: cms, credential: { kind: 'x509-root', pem, identity: undefined } },
  };
});

afterAll(() => rmSync(folder, { recursive: true }));

function examined(form: 'openpgp' | 'x509', bytes: Uint8Array, credential: LookedUpCredential): Promise<CommitFinding> {
  const label = form === 'openpgp' ? 'PGP SIGNATURE' : 'SIGNED MESSAGE';
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  const armoured = [`-----BEGIN ${label}-----`, ...(form === 'openpgp' ? [''] : []), ...lines, `-----END ${label}-----`].join('\n');
  return port.examine({ signature: { form, armoured, payload: PAYLOAD }, credential, trustedRoot: undefined });
}

test('what the bent ones come from holds', async () => {
  expect((await examined('openpgp', genuine.openpgp.bytes, genuine.openpgp.credential)).kind).toBe('holds');
  expect((await examined('x509', genuine.x509.bytes, genuine.x509.credential)).kind).toBe('holds');
});

/** Some bytes exchanged, cut out or put in. */
const bends = fc.array(fc.record({ at: fc.nat(), cut: fc.integer({ min: 0, max: 4 }), put: fc.uint8Array({ maxLength: 4 }) }), {
  minLength: 1,
  maxLength: 4,
});

test.each(['openpgp', 'x509'] as const)('a bent signature is an answer, never an exception: %s', async (form) => {
  const { bytes, credential } = genuine[form];
  const whole = await examined(form, bytes, credential);
  const own = whole.kind === 'holds' ? whole.fact.fingerprint : '';
  await fc.assert(
    fc.asyncProperty(bends, async (steps) => {
      let bent = bytes;
      for (const { at, cut, put } of steps) {
        const from = at % (bent.length + 1);
        bent = Buffer.concat([bent.subarray(0, from), put, bent.subarray(from + cut)]);
      }
      for (const one of form === 'x509' ? [credential, KEYLESS] : [credential]) {
        const finding = await examined(form, bent, one);
        expect(finding.kind === 'refused' ? finding.reason : '').not.toMatch(/\n| at |Error|undefined|\[object/);
        // What is not hashed may be bent and hold; then it is by the same key.
        expect(finding.kind === 'holds' ? finding.fact.fingerprint : own).toBe(own);
      }
    }),
    { numRuns: 150, seed: 7 },
  );
});
