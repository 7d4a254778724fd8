import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { agentSigner, fileSigner, tokenSigner } from '#adapters/machine/machine.ts';
import { toSecret } from '#model/secret.ts';
import { encodeSshPrivateKey, parseSshPrivateKey, sshPublicKeyText } from '#model/ssh-key.ts';
import { sshString, sshUint32 } from '#model/ssh-wire.ts';
import { isPortError } from '#ports/port-error.ts';
import { signerContract } from './signer.contract.ts';
import { run, stockAgent, type StockAgent } from './stock-ssh.ts';

const WHO = { name: 'Capstan', email: 'engine@acme.example' };
let folder: string;
let agent: StockAgent;

async function makeKey(name: string, args: readonly string[]): Promise<{ file: string; publicKey: string }> {
  const file = join(folder, name);
  const { code, out } = await run('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', file, ...args]);
  if (code !== 0) throw new Error(out);
  await chmod(file, 0o600);
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-signer-'));
  agent = await stockAgent();
});
afterAll(async () => {
  await agent.close();
  await rm(folder, { recursive: true });
});

signerContract('a key file', async () => ({
  signer: await fileSigner(join(folder, 'made'), WHO),
  close: () => Promise.resolve(),
}));

for (const [name, args] of [
  ['ed25519', ['-t', 'ed25519']],
  ['ecdsa', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa384', ['-t', 'ecdsa', '-b', '384']],
  ['rsa', ['-t', 'rsa', '-b', '2048']],
] as const)
  signerContract(`the ssh-agent of OpenSSH, ${name}`, async () => {
    const key = await makeKey(name, args);
    await agent.add(key.file);
    return { signer: await agentSigner({ publicKey: key.publicKey, socket: agent.socket }, WHO), close: () => Promise.resolve() };
  });

describe('an agent is not believed', () => {
  const pair = parseSshPrivateKey(encodeSshPrivateKey(Buffer.alloc(32, 'a'), 'a', 7));
  if (!pair.ok) throw new Error(pair.reason);
  const { publicKey } = pair.value;
  const text = sshPublicKeyText(publicKey);
  const identities = Buffer.concat([Buffer.from([12]), sshUint32(1), sshString(publicKey.blob), sshString('a')]);
  let server: Server | undefined;
  afterEach(() => server?.close());

  function framed(answer: Uint8Array): Buffer {
    return Buffer.concat([sshUint32(answer.length), answer]);
  }

  /** An agent that answers each connection's question with the next of these bytes. */
  async function agentThat(...answers: readonly ((socket: Socket) => void)[]): Promise<string> {
    const path = join(folder, `s${Math.floor(performance.now() * 1000)}`);
    let turn = 0;
    server = createServer((socket) => {
      const answer = answers[Math.min(turn, answers.length - 1)];
      turn += 1;
      socket.on('error', () => undefined);
      socket.once('data', () => answer?.(socket));
    });
    await new Promise<void>((resolve) => void server?.listen(path, resolve));
    return path;
  }

  async function failure(work: Promise<unknown>): Promise<string> {
    const error = await work.then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    return isPortError(error) ? `${error.kind}: ${error.message}` : String(error);
  }

  const tells = (socket: Socket) => void socket.write(framed(identities));
  const says = (answer: Uint8Array) => (socket: Socket) => void socket.write(answer);

  test.each([
    ['an answer of four gigabytes', says(sshUint32(0xffffffff)), 'invalid: the SSH agent announces an answer of 4294967295 bytes'],
    ['an empty answer', says(sshUint32(0)), 'invalid: the SSH agent announces an answer of 0 bytes'],
    [
      'more than was asked',
      says(Buffer.concat([framed(identities), Buffer.alloc(9)])),
      'invalid: the SSH agent answers more than it was asked',
    ],
    [
      'a million keys',
      says(framed(Buffer.concat([Buffer.from([12]), sshUint32(1_000_000)]))),
      'invalid: the SSH agent tells of 1000000 keys; 2048 are read',
    ],
    [
      'fewer keys than it counts',
      says(framed(Buffer.concat([Buffer.from([12]), sshUint32(2), sshString('x'), sshString('y')]))),
      'invalid: the answer of the SSH agent is cut off, or of another kind than the question',
    ],
    ['no keys at all', says(framed(Buffer.from([5]))), 'denied: the SSH agent does not tell its keys'],
    ['the end of the connection', (socket: Socket) => void socket.destroy(), 'transient: the SSH agent ended the connection'],
  ])('%s is refused', async (_, answer, expected) => {
    expect(await failure(agentSigner({ publicKey: text, socket: await agentThat(answer) }, WHO))).toBe(expected);
  });

  test.each([
    [
      'a refusal',
      framed(Buffer.from([5])),
      'denied: the SSH agent refuses to sign: the key was taken out, the agent is locked, or somebody said no',
    ],
    [
      'a signature of zeros',
      framed(Buffer.concat([Buffer.from([14]), sshString(Buffer.concat([sshString('ssh-ed25519'), sshString(Buffer.alloc(64))]))])),
      'invalid: the holder of the signing key answered a signature that does not fit',
    ],
    [
      'a signature of another kind',
      framed(Buffer.concat([Buffer.from([14]), sshString(Buffer.concat([sshString('ssh-rsa'), sshString(Buffer.alloc(64))]))])),
      'invalid: the holder of the signing key answered a signature that cannot be used: the signature is of another kind than its key',
    ],
    [
      'rubbish',
      framed(Buffer.from([99, 1, 2, 3])),
      'invalid: the answer of the SSH agent is cut off, or of another kind than the question',
    ],
  ])('%s in place of a signature makes no commit', async (_, answer, expected) => {
    const signer = await agentSigner({ publicKey: text, socket: await agentThat(tells, says(answer)) }, WHO);

    expect(await failure(signer.sign(Buffer.from('payload')))).toBe(expected);
  });

  test('a key that it does not hold is not replaced by one that it does', async () => {
    const other = await makeKey('absent', ['-t', 'ed25519']);

    expect(await failure(agentSigner({ publicKey: other.publicKey, socket: await agentThat(tells) }, WHO))).toMatch(
      /^missing: the SSH agent at .* does not hold the key SHA256:.* \(it holds 1 others\)$/,
    );
  });

  test('an agent that is not there is waited for, and one that nobody named is asked for', async () => {
    expect(await failure(agentSigner({ publicKey: text, socket: join(folder, 'nowhere') }, WHO))).toMatch(
      /^transient: .*cannot be reached/,
    );
    expect(await failure(agentSigner({ publicKey: text, socket: undefined }, WHO))).toMatch(/^missing: no SSH agent is known/);
  });

  test('a key that is taken out and put back works again', async () => {
    const own = await stockAgent();
    try {
      const key = await makeKey('comes-and-goes', ['-t', 'ed25519']);
      await own.add(key.file);
      const signer = await agentSigner({ publicKey: key.publicKey, socket: own.socket }, WHO);
      await own.removeAll();
      const refused = await failure(signer.sign(Buffer.from('payload')));
      await own.add(key.file);

      expect(refused).toMatch(/^denied: the SSH agent refuses to sign/);
      expect(await signer.sign(Buffer.from('payload'))).toContain('BEGIN SSH SIGNATURE');
    } finally {
      await own.close();
    }
  });

  test('a module that is not there, or is no module, is refused without its PIN in the words', async () => {
    const key = { publicKey: text, pin: toSecret('135790'), env: { PATH: process.env['PATH'] } };
    await writeFile(join(folder, 'no-module.so'), 'not a module');

    expect(await failure(tokenSigner({ ...key, module: join(folder, 'nowhere.so') }, WHO))).toMatch(/^missing: the PKCS#11 module/);
    const refused = await failure(tokenSigner({ ...key, module: join(folder, 'no-module.so') }, WHO));
    expect(refused).toMatch(/^denied: the PKCS#11 module .* gives no key/);
    expect(refused).not.toContain('135790');
  });
});
