import { createPublicKey, type KeyObject, verify } from 'node:crypto';

import { CLOCK_SKEW, type CommandMemory, MOST_NONCES } from '#model/command-memory.ts';
import { type AgentCommand, COMMAND_TYPE, type CommandEnvelope, commandMessage, parseCommand, parseEnvelope } from '#model/command.ts';
import { sha256Of } from '#model/digest.ts';
import { type Instant, instantText, toInstant } from '#model/instant.ts';
import { parseSshPublicKey } from '#model/ssh-key.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import { isInWindow } from './signers.ts';

/** Why an agent does not do what it is told. Stable. */
export type CommandCode =
  | 'malformed-command'
  | 'wrong-payload-type'
  | 'unknown-key'
  | 'bad-signature'
  | 'outside-window'
  | 'wrong-agent'
  | 'wrong-tenant'
  | 'clock-behind'
  | 'issued-in-future'
  | 'expired-command'
  | 'issued-before-memory'
  | 'replayed-command'
  | 'memory-full'
  | 'not-allowed';

export interface CommandQuestion {
  /** As it came; hostile. */
  readonly envelope: Uint8Array;
  readonly agent: { readonly agentId: string; readonly tenantId: string };
  /**
   * Entries for engines count, at the agent's own time. A credential is a public key by type: there is no secret that sender and agent
   * could share.
   */
  readonly signers: readonly AllowedSigner[];
  readonly now: Instant;
  readonly memory: CommandMemory;
  /** Undefined allows; a sentence says why not. Asked last, and only about commands that are genuine, in time and new. */
  readonly forbids: (command: AgentCommand) => string | undefined;
}

export interface CommandAnswer {
  readonly verdict:
    | { readonly kind: 'accepted'; readonly command: AgentCommand; readonly signer: string }
    | { readonly kind: 'refused'; readonly code: CommandCode; readonly reason: string };
  /** To be kept before anything is done: only then is a crash no way to do it twice. */
  readonly memory: CommandMemory;
}

type Refusal = Extract<CommandAnswer['verdict'], { kind: 'refused' }>;

/**
 * Known key, then agent and tenant, then time, then nonce, then policy. Nothing of a payload is believed, not even that it is JSON, before
 * its signature holds; nothing is remembered of commands that are not genuine, so strangers cannot fill the memory.
 */
export function judge(question: CommandQuestion): CommandAnswer {
  const { memory, now } = question;
  const genuine = genuineCommand(question);
  if (genuine.kind === 'refused') return { verdict: genuine, memory };
  const { command, signer } = genuine;
  const untimely = timeRefusal(command, question);
  // The floor rises with the clock alone, never with what somebody wrote into a command.
  const risen: CommandMemory = { ...memory, floor: toInstant(Math.max(memory.floor, now)) };
  if (untimely !== undefined) return { verdict: untimely, memory: untimely.code === 'clock-behind' ? memory : risen };
  const nonces = new Map([...memory.nonces].filter(([, until]) => until >= now));
  if (nonces.has(command.nonce))
    return { verdict: refusal('replayed-command', 'a command with this nonce was seen already'), memory: risen };
  if (nonces.size >= MOST_NONCES)
    return {
      verdict: refusal('memory-full', `${MOST_NONCES} commands that could come again are remembered; send it later`),
      memory: risen,
    };
  // Spent also where the policy forbids: what is refused now must not be done later by repeating it.
  nonces.set(command.nonce, endOf(command));
  const after = { ...risen, nonces };
  const forbidden = question.forbids(command);
  if (forbidden !== undefined) return { verdict: refusal('not-allowed', forbidden), memory: after };
  return { verdict: { kind: 'accepted', command, signer }, memory: after };
}

type Genuine = { readonly kind: 'genuine'; readonly command: AgentCommand; readonly signer: string } | Refusal;

function genuineCommand({ envelope, agent, signers, now }: CommandQuestion): Genuine {
  const read = parseEnvelope(envelope);
  if (!read.ok) return refusal('malformed-command', `the envelope cannot be read: ${read.reason}`);
  if (read.value.payloadType !== COMMAND_TYPE) return refusal('wrong-payload-type', 'the envelope does not hold a command');
  const owners = signers.filter((signer) => signer.purposes.includes('engine') && keyIdOf(signer) === read.value.keyId);
  const [first] = owners;
  const key = first === undefined ? undefined : publicKeyOf(first);
  if (first === undefined || key === undefined) return refusal('unknown-key', 'no trust entry for engines has the key that it names');
  if (!holds(key, read.value)) return refusal('bad-signature', `the signature is not by the key of ${first.name}, or not over these bytes`);
  const signer = owners.find((owner) => isInWindow(owner, now));
  if (signer === undefined) return refusal('outside-window', `the key of ${first.name} is not valid now`);
  const command = parseCommand(read.value.payload);
  if (!command.ok) return refusal('malformed-command', `the command cannot be read: ${command.reason}`);
  if (command.value.agentId !== agent.agentId) return refusal('wrong-agent', 'the command is for another agent');
  if (command.value.tenantId !== agent.tenantId) return refusal('wrong-tenant', 'the command is of another tenant');
  return { kind: 'genuine', command: command.value, signer: signer.name };
}

function timeRefusal({ iat, ttl }: AgentCommand, { now, memory }: CommandQuestion): Refusal | undefined {
  if (now < memory.floor)
    return refusal('clock-behind', `the clock says ${instantText(now)}, and it was ${instantText(memory.floor)} already: set the clock`);
  if (iat * 1000 > now + CLOCK_SKEW) return refusal('issued-in-future', 'the command was issued later than it is now');
  if (now > (iat + ttl) * 1000) return refusal('expired-command', `the command was good for ${ttl} seconds, and they are over`);
  // A sender's clock may be ahead: what it issued just before this memory began can carry a later time than that.
  if (iat * 1000 <= memory.begun + CLOCK_SKEW)
    return refusal('issued-before-memory', 'the command was issued before this agent could remember it: send it again');
  return undefined;
}

function endOf({ iat, ttl }: AgentCommand): Instant {
  return toInstant((iat + ttl) * 1000);
}

/** sha256 of SubjectPublicKeyInfo (DER), hex: what envelopes name a key by. Undefined for keys that sign no commands. */
function keyIdOf(signer: Pick<AllowedSigner, 'credential'>): string | undefined {
  const key = publicKeyOf(signer);
  return key === undefined ? undefined : sha256Of(key.export({ format: 'der', type: 'spki' }));
}

function publicKeyOf({ credential }: Pick<AllowedSigner, 'credential'>): KeyObject | undefined {
  switch (credential.kind) {
    case 'ssh-key': {
      const read = parseSshPublicKey(credential.key);
      return read.ok && read.value.application === undefined ? read.value.key : undefined;
    }
    case 'public-key':
      return usableKey(credential.pem);
    case 'openpgp-key':
    case 'keyless':
    case 'x509-root':
      return undefined;
  }
}

function usableKey(pem: string): KeyObject | undefined {
  if (!pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
  try {
    const key = createPublicKey(pem);
    const isWeak = key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
    return isWeak ? undefined : key;
  } catch {
    // node:crypto's word for "this text is no key".
    return undefined;
  }
}

const HASH_OF_CURVE: Readonly<Record<string, string>> = { prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' };

function holds(key: KeyObject, envelope: CommandEnvelope): boolean {
  const message = commandMessage(envelope);
  const kind = key.asymmetricKeyType;
  if (kind === 'ed25519') return verify(null, message, key, envelope.signature);
  if (kind === 'rsa') return verify('sha256', message, key, envelope.signature);
  const hash = kind === 'ec' ? HASH_OF_CURVE[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined;
  return hash !== undefined && verify(hash, message, key, envelope.signature);
}

function refusal(code: CommandCode, reason: string): Refusal {
  return { kind: 'refused', code, reason };
}
