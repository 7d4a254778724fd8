import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import type { Secret } from '#model/secret.ts';
import type { Signer } from '#ports/machine.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { addToken, connectAgent, identitiesOf, signedBy } from './agent-protocol.ts';
import { publicKeyFrom, requireKey } from './agent-signer.ts';
import { signerOver, type SignerName } from './raw-key.ts';

export interface TokenKey {
  readonly publicKey: string;
  /** Absolute path of the PKCS#11 module. */
  readonly module: string;
  readonly pin: Secret | undefined;
  /** Variables that the module may see, chosen by the caller out of the process's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Tokens are slow, and some sign only after a person touched them. */
const PATIENCE = 60_000;
const START_PATIENCE = 10_000;

/**
 * Signs with a key of a PKCS#11 token, through an ssh-agent of our own: the module's code runs in another process (ssh-pkcs11-helper), and
 * the PIN goes to it in a message, never by arguments or environment. A refused PIN is not tried again: tokens lock themselves.
 */
export async function openTokenSigner(token: TokenKey, who: SignerName): Promise<Signer> {
  const publicKey = publicKeyFrom(token.publicKey);
  const { pin } = token;
  if (pin === undefined) throw new PortError('missing', 'the PIN of the signing key is not at hand: set identity.signingKey.pkcs11.pin');
  const module = await realpath(token.module).catch((error: unknown) => {
    throw new PortError('missing', `the PKCS#11 module ${token.module} is not there`, error);
  });
  let refused: PortError | undefined;

  async function open(): Promise<Socket> {
    if (refused !== undefined) throw refused;
    const socket = await privateAgent(module, token.env);
    if (await addToken(socket, { module, pin: pin?.reveal() ?? '' }, PATIENCE)) return socket;
    socket.destroy();
    refused = new PortError(
      'denied',
      `the PKCS#11 module ${module} gives no key: it cannot be loaded, its token holds no key of RSA or ECDSA, or the PIN is wrong; it is not tried again before a restart`,
    );
    throw refused;
  }

  let current = await open();
  requireKey(await identitiesOf(current, PATIENCE), publicKey, `the token behind ${module}`);
  let queue: Promise<unknown> = Promise.resolve();

  async function signOnce(bytes: Uint8Array, rsa: 'sha256' | 'sha512'): Promise<Uint8Array> {
    const request = { blob: publicKey.blob, bytes, rsa };
    if (!current.destroyed) {
      try {
        return await signedBy(current, request, PATIENCE);
      } catch (error) {
        // The agent or its helper has gone; once more with new ones.
        if (!isPortError(error) || error.kind === 'invalid') throw error;
        current.destroy();
      }
    }
    current = await open();
    return signedBy(current, request, PATIENCE);
  }

  return signerOver(
    {
      publicKey,
      async signRaw(bytes, rsa) {
        // One connection, one question at a time.
        const turn = queue.then(async () => signOnce(bytes, rsa));
        queue = turn.catch(() => undefined);
        return turn;
      },
    },
    who,
  );
}

/**
 * An agent for this process alone: its socket is gone from the disk as soon as we are connected, it takes no other module, and it ends
 * within seconds of us (it watches `cat`, which ends with our end of its pipe).
 */
async function privateAgent(module: string, env: TokenKey['env']): Promise<Socket> {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-token-'));
  try {
    const path = join(folder, 's');
    const child = spawn('ssh-agent', ['-a', path, '-P', module, 'cat'], { env, stdio: ['pipe', 'ignore', 'ignore'] });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) =>
        reject(new PortError('missing', 'ssh-agent cannot be started; it comes with OpenSSH (openssh-client)', error)),
      );
    });
    const socket = await Promise.race([connected(path), failed]);
    socket.once('close', () => child.stdin.destroy());
    child.stdin.on('error', () => undefined);
    child.unref();
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
    socket.unref();
    return socket;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function connected(path: string): Promise<Socket> {
  for (let waited = 0; ; waited += 20) {
    try {
      return await connectAgent(path);
    } catch (error) {
      if (waited >= START_PATIENCE) throw error;
    }
    await wait(20);
  }
}
