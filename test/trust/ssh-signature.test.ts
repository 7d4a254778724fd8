import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, createHash, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { fileSigner } from '#adapters/machine/machine.ts';
import { parseSshPrivateKey, parseSshPublicKey, sshFingerprint } from '#model/ssh-key.ts';
import { parseSshSignature, verifySshSignature } from '#model/ssh-signature.ts';
import { sshString, sshUint32 } from '#model/ssh-wire.ts';

const PAYLOAD = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'capstan-ssh-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What ssh-keygen makes of the payload with a fresh key. */
function witness(options: { type: string; bits?: number; namespace?: string; hash?: string }): { key: string; signature: string } {
  const path = join(folder, `${options.type}-${options.bits}-${options.namespace}-${options.hash}`);
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    options.type,
    ...(options.bits === undefined ? [] : ['-b', String(options.bits)]),
    '-N',
    '',
    '-f',
    path,
  ]);
  const hash = options.hash === undefined ? [] : ['-O', `hashalg=${options.hash}`];
  const signature = execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-f', path, '-n', options.namespace ?? 'git', ...hash], {
    input: PAYLOAD,
    stdio: 'pipe',
  }).toString();
  return { key: readFileSync(`${path}.pub`, 'utf8').trim(), signature: signature.trimEnd() };
}

function outcome(signature: string, payload: Uint8Array = PAYLOAD): string {
  const read = parseSshSignature(signature);
  return read.ok ? String(verifySshSignature(read.value, payload)) : read.code;
}

function armour(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----'].join('\n');
}

function bytesOf(signature: string): Buffer {
  return Buffer.from(signature.split('\n').slice(1, -1).join(''), 'base64');
}

describe('signatures made by ssh-keygen', () => {
  test.each([
    { type: 'ed25519' },
    { type: 'ed25519', hash: 'sha256' },
    { type: 'ecdsa', bits: 256 },
    { type: 'ecdsa', bits: 384 },
    { type: 'ecdsa', bits: 521 },
    { type: 'rsa', bits: 2048 },
    { type: 'rsa', bits: 3072, hash: 'sha256' },
  ])('hold for their bytes and for no others: $type $bits $hash', (options) => {
    const { key, signature } = witness(options);

    const read = parseSshSignature(signature);
    const allowed = parseSshPublicKey(key);

    expect(outcome(signature)).toBe('true');
    expect(outcome(signature, Buffer.concat([PAYLOAD, Buffer.from('\n')]))).toBe('false');
    expect(read.ok && allowed.ok && read.value.publicKey.blob.equals(allowed.value.blob)).toBe(true);
  });

  test('do not count when made for another namespace', () => {
    expect(outcome(witness({ type: 'ed25519', namespace: 'file' }).signature)).toBe('wrong-namespace');
  });

  test('do not count when made with an RSA key below 2048 bits', () => {
    expect(outcome(witness({ type: 'rsa', bits: 1024 }).signature)).toBe('weak-key');
  });

  test('do not count with anything before, after or behind the block', () => {
    const { signature } = witness({ type: 'ed25519', namespace: 'git', hash: 'sha512' });

    expect(outcome(signature)).toBe('true');
    expect(outcome(`x\n${signature}`)).toBe('malformed-signature');
    expect(outcome(`${signature}\n`)).toBe('malformed-signature');
    expect(outcome(`${signature}\n${signature}`)).toBe('malformed-signature');
    expect(outcome(armour(Buffer.concat([bytesOf(signature), Buffer.from([0])])))).toBe('malformed-signature');
    expect(outcome(armour(bytesOf(signature).subarray(0, -1)))).toBe('malformed-signature');
    expect(outcome('-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----')).toBe('malformed-signature');
  });
});

describe('signatures of security keys', () => {
  function securityKeySignature(flags: number): string {
    const pair = generateKeyPairSync('ed25519');
    const point = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const blob = Buffer.concat([sshString('sk-ssh-ed25519@openssh.com'), sshString(point), sshString('ssh:')]);
    const digest = createHash('sha512').update(PAYLOAD).digest();
    const message = Buffer.concat([Buffer.from('SSHSIG'), sshString('git'), sshString(''), sshString('sha512'), sshString(digest)]);
    const facts = Buffer.concat([Buffer.from([flags]), sshUint32(7)]);
    const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
    const raw = sign(null, Buffer.concat([sha256(Buffer.from('ssh:')), facts, sha256(message)]), pair.privateKey);
    const content = Buffer.concat([sshString('sk-ssh-ed25519@openssh.com'), sshString(raw), facts]);
    const parts = [sshString(blob), sshString('git'), sshString(''), sshString('sha512'), sshString(content)];
    return armour(Buffer.concat([Buffer.from('SSHSIG'), sshUint32(1), ...parts]));
  }

  test('count when somebody touched the key', () => {
    expect(outcome(securityKeySignature(0x01))).toBe('true');
    expect(outcome(securityKeySignature(0x01), Buffer.from('x'))).toBe('false');
  });

  test('do not count without user presence', () => {
    expect(outcome(securityKeySignature(0x00))).toBe('no-user-presence');
  });
});

describe('the key of the engine', () => {
  test('is made once, for its owner only, and stock ssh-keygen reads it and accepts what it signs', async () => {
    const path = join(folder, 'made', 'engine_ed25519');

    const [first, second] = await Promise.all([fileSigner(path), fileSigner(path)]);
    const signature = await first.sign(PAYLOAD);

    expect(second.publicKey).toBe(first.publicKey);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${path}.pub`, 'utf8')).toBe(`${first.publicKey} engine@capstan.invalid\n`);
    expect(execFileSync('ssh-keygen', ['-y', '-f', path]).toString().startsWith(first.publicKey)).toBe(true);
    writeFileSync(join(folder, 'allowed'), `engine ${first.publicKey}\n`);
    writeFileSync(join(folder, 'signature'), signature);
    const args = ['-Y', 'verify', '-f', join(folder, 'allowed'), '-I', 'engine', '-n', 'git', '-s', join(folder, 'signature')];
    expect(spawnSync('ssh-keygen', args, { input: PAYLOAD }).status).toBe(0);
    expect(outcome(signature.trimEnd())).toBe('true');
  });

  test('may be one that ssh-keygen made, and has its fingerprint', () => {
    const path = join(folder, 'stock');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'some one', '-f', path]);

    const read = parseSshPrivateKey(readFileSync(path, 'utf8'));

    const printed = execFileSync('ssh-keygen', ['-l', '-f', path]).toString();
    expect(read.ok && sshFingerprint(read.value.publicKey.blob)).toBe(printed.split(' ')[1]);
  });

  test('is refused in words when it is encrypted or readable by others', async () => {
    const path = join(folder, 'encrypted');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret words', '-f', path]);
    const open = join(folder, 'open');
    writeFileSync(open, 'key', { mode: 0o644 });

    await expect(fileSigner(path)).rejects.toThrow('it is encrypted');
    await expect(fileSigner(open)).rejects.toThrow('chmod 600');
  });
});
