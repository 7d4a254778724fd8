import type { Socket } from 'node:net';
import { connect } from 'node:net';

import { sshReader, sshString, sshUint32 } from '#model/ssh-wire.ts';
import { PortError } from '#ports/port-error.ts';

/** Messages of the SSH agent protocol (draft-miller-ssh-agent, section 6.1). */
const MESSAGE = { failure: 5, success: 6, identities: 11, identitiesAnswer: 12, sign: 13, signAnswer: 14, addToken: 20 } as const;
const RSA_FLAG = { sha256: 2, sha512: 4 } as const;

/** As OpenSSH bounds them. */
const LARGEST_ANSWER = 256 * 1024;
const MOST_IDENTITIES = 2048;

/** Opens the socket of an agent. */
export async function connectAgent(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      // Whoever waits for an answer listens; a socket that breaks while nobody does is noticed with the next question.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', (error) => reject(new PortError('transient', `the SSH agent at ${path} cannot be reached`, error)));
  });
}

/** The blobs of all keys that the agent would sign with. */
export async function identitiesOf(socket: Socket, patience: number): Promise<readonly Buffer[]> {
  const answer = await asked(socket, [Buffer.from([MESSAGE.identities])], patience);
  const reader = sshReader(answer);
  if (reader.byte() !== MESSAGE.identitiesAnswer) throw new PortError('denied', 'the SSH agent does not tell its keys');
  const count = reader.uint32() ?? 0;
  if (count > MOST_IDENTITIES) throw new PortError('invalid', `the SSH agent tells of ${count} keys; ${MOST_IDENTITIES} are read`);
  const blobs: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    const blob = reader.string();
    if (blob === undefined || reader.string() === undefined) throw cutOff();
    blobs.push(blob);
  }
  return blobs;
}

/** Algorithm and content of a signature over the bytes. */
export async function signedBy(
  socket: Socket,
  request: { readonly blob: Buffer; readonly bytes: Uint8Array; readonly rsa: 'sha256' | 'sha512' },
  patience: number,
): Promise<Uint8Array> {
  const flags = sshReader(request.blob).string()?.toString('latin1') === 'ssh-rsa' ? RSA_FLAG[request.rsa] : 0;
  const parts = [Buffer.from([MESSAGE.sign]), sshString(request.blob), sshString(request.bytes), sshUint32(flags)];
  const reader = sshReader(await asked(socket, parts, patience));
  const kind = reader.byte();
  if (kind === MESSAGE.failure)
    throw new PortError('denied', 'the SSH agent refuses to sign: the key was taken out, the agent is locked, or somebody said no');
  const signature = reader.string();
  if (kind !== MESSAGE.signAnswer || signature === undefined || !reader.isAtEnd()) throw cutOff();
  return signature;
}

/** Whether the agent took the token's keys; false where the module cannot be loaded, shows no key, or the PIN is wrong. */
export async function addToken(
  socket: Socket,
  token: { readonly module: string; readonly pin: string },
  patience: number,
): Promise<boolean> {
  const parts = [Buffer.from([MESSAGE.addToken]), sshString(token.module), sshString(token.pin)];
  return sshReader(await asked(socket, parts, patience)).byte() === MESSAGE.success;
}

/** One question and its answer without the length; the socket must be nobody else's meanwhile, and is ended where the answer is no good. */
async function asked(socket: Socket, parts: readonly Uint8Array[], patience: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => fail(new PortError('transient', `the SSH agent did not answer within ${patience} ms`)), patience);
    function end(): void {
      clearTimeout(timer);
      socket.off('data', read);
      socket.off('error', broke);
      socket.off('close', closed);
      socket.unref();
    }
    function fail(error: PortError): void {
      end();
      socket.destroy();
      reject(error);
    }
    function broke(error: Error): void {
      fail(new PortError('transient', 'the connection to the SSH agent broke', error));
    }
    function closed(): void {
      fail(new PortError('transient', 'the SSH agent ended the connection'));
    }
    function read(chunk: Buffer): void {
      chunks.push(chunk);
      length += chunk.length;
      if (length < 4) return;
      const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      const announced = bytes.readUInt32BE(0);
      if (announced === 0 || announced > LARGEST_ANSWER)
        return fail(new PortError('invalid', `the SSH agent announces an answer of ${announced} bytes`));
      if (length > announced + 4) return fail(new PortError('invalid', 'the SSH agent answers more than it was asked'));
      if (length < announced + 4) return undefined;
      end();
      return resolve(bytes.subarray(4));
    }
    if (socket.destroyed) return closed();
    socket.ref();
    socket.on('data', read);
    socket.on('error', broke);
    socket.on('close', closed);
    const request = Buffer.concat(parts);
    return void socket.write(Buffer.concat([sshUint32(request.length), request]));
  });
}

function cutOff(): PortError {
  return new PortError('invalid', 'the answer of the SSH agent is cut off, or of another kind than the question');
}
