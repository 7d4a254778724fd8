import type { Socket } from 'node:net';

import { parseSshPublicKey, sshFingerprint, type SshPublicKey } from '#model/ssh-key.ts';
import type { Signer } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import { connectAgent, identitiesOf, signedBy } from './agent-protocol.ts';
import { signerOver, type SignerName } from './raw-key.ts';

/** A person may have to touch or confirm something. */
const PATIENCE = 30_000;

/** Signs with the one key of an SSH agent that has this public key; the agent may come and go in between. */
export async function openAgentSigner(
  agent: { readonly publicKey: string; readonly socket: string | undefined },
  who: SignerName,
  patience: number = PATIENCE,
): Promise<Signer> {
  const { socket: path } = agent;
  if (path === undefined)
    throw new PortError('missing', 'no SSH agent is known: set SSH_AUTH_SOCK for this process, or name the socket in the configuration');
  const publicKey = publicKeyFrom(agent.publicKey);

  async function ask<T>(question: (socket: Socket) => Promise<T>): Promise<T> {
    const socket = await connectAgent(path ?? '');
    try {
      return await question(socket);
    } finally {
      socket.destroy();
    }
  }

  await ask(async (socket) => requireKey(await identitiesOf(socket, patience), publicKey, `the SSH agent at ${path}`));
  return signerOver(
    {
      publicKey,
      signRaw: async (bytes, rsa) => ask(async (socket) => signedBy(socket, { blob: publicKey.blob, bytes, rsa }, patience)),
    },
    who,
  );
}

export function publicKeyFrom(text: string): SshPublicKey {
  const read = parseSshPublicKey(text);
  if (!read.ok) throw new PortError('invalid', `the public key of the signing key cannot be used: ${read.reason}`);
  if (read.value.application !== undefined)
    throw new PortError('invalid', 'the signing key is a security key, which wants a touch for each commit; use another one');
  return read.value;
}

export function requireKey(blobs: readonly Buffer[], publicKey: SshPublicKey, where: string): void {
  if (blobs.some((blob) => blob.equals(publicKey.blob))) return;
  throw new PortError('missing', `${where} does not hold the key ${sshFingerprint(publicKey.blob)} (it holds ${blobs.length} others)`);
}
