import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { approvalFile, approvalText, APPROVAL_NAMESPACE, parseApproval } from '#model/signed-approval.ts';
import { signerOf } from '#test/stories/shop.ts';

const folder = mkdtempSync(join(tmpdir(), 'capstan-approval-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SHA256 = sha256Of('change set');
const APPROVED = { environment: 'prod', changeSet: `cs-${SHA256.slice(0, 16)}`, sha256: SHA256 };
const AT = toInstant(Date.UTC(2026, 10, 4, 10));
const TEXT = approvalText(APPROVED, AT);

async function read(text: string, signature: string) {
  return parseApproval(Buffer.from(approvalFile(text, signature)));
}

describe('ssh-keygen as the witness', () => {
  test.each(['ed25519', 'ecdsa', 'rsa'])('what it signs with a key of type %s is read, and says who and what', async (type) => {
    const key = join(folder, type);
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', key]);
    const signature = execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-n', APPROVAL_NAMESPACE, '-f', key], { input: TEXT }).toString();
    const found = await read(TEXT, signature);
    expect(found).toMatchObject({ ok: true, value: { sshKey: readFileSync(`${key}.pub`, 'utf8').trim(), approved: APPROVED, at: AT } });
  });

  test('what is signed here it verifies, for this namespace alone', async () => {
    const ada = signerOf('ada');
    writeFileSync(join(folder, 'allowed'), `ada ${ada.publicKey}\n`);
    writeFileSync(join(folder, 'sig'), await ada.sign(Buffer.from(TEXT), APPROVAL_NAMESPACE));
    const verify = (namespace: string) =>
      execFileSync('ssh-keygen', ['-Y', 'verify', '-f', join(folder, 'allowed'), '-I', 'ada', '-n', namespace, '-s', join(folder, 'sig')], {
        input: TEXT,
        stdio: ['pipe', 'pipe', 'ignore'],
      }).toString();
    expect(verify(APPROVAL_NAMESPACE)).toContain('Good "capstan-approval" signature for ada');
    expect(() => verify('git')).toThrow(/Could not verify signature|incorrect namespace|Command failed/);
  });
});

test.each<[string, () => Promise<string>, string]>([
  [
    'of another namespace',
    async () => approvalFile(TEXT, await signerOf('ada').sign(Buffer.from(TEXT), 'git')),
    'another purpose than capstan-approval',
  ],
  [
    'of another text',
    async () => approvalFile(`${TEXT} `, await signerOf('ada').sign(Buffer.from(TEXT), APPROVAL_NAMESPACE)),
    'does not fit the statement',
  ],
  [
    'that is no approval',
    async () => approvalFile('{}', await signerOf('ada').sign(Buffer.from('{}'), APPROVAL_NAMESPACE)),
    'is no approval of a person',
  ],
  [
    "in the engine's words",
    async () => {
      const text = TEXT.replace('"person"', '"engine"');
      return approvalFile(text, await signerOf('ada').sign(Buffer.from(text), APPROVAL_NAMESPACE));
    },
    'is no approval of a person',
  ],
  ['of another form', async () => '{"formatVersion": 2}', 'no approval of a known form'],
  ['that is no JSON', async () => 'approved!', 'no approval of a known form'],
  ['without end', async () => ' '.repeat(70_000), 'larger than an approval may be'],
])('an approval %s is refused', async (_, file, why) => {
  const found = parseApproval(Buffer.from(await file()));
  expect(found).toEqual({ ok: false, reason: expect.stringContaining(why) });
});
