import { generateKeyPairSync, sign } from 'node:crypto';

import { beginMemory, type CommandMemory } from '#model/command-memory.ts';
import { type AgentCommand, COMMAND_TYPE, commandMessage, encodeCommand, encodeEnvelope } from '#model/command.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { NOWHERE } from '#model/problem.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import { judgeCommand } from '#trust/trust.ts';

export const NOW = toInstant(Date.UTC(2026, 5, 1, 12));
export const SECOND = 1000;
export const YEAR = 365.25 * 24 * 3600 * SECOND;
export const IAT = NOW / SECOND;
export const AGENT = { agentId: 'edge/eu-1', tenantId: 'acme' };
export const COMMAND: AgentCommand = {
  ...AGENT,
  traceId: '0123456789abcdef0123456789abcdef',
  runId: '01JX5Z8Q0V9W3N4K5M6P7R8S9T',
  policyContext: { environment: 'edge', risk: 'medium' },
  command: 'restart',
  args: { instance: 'kiosk', count: 1.5, reason: 'größer' },
  nonce: 'abcdefghijklmnopqrstuv',
  iat: IAT,
  ttl: 300,
};

export const KEYS = {
  ed25519: generateKeyPairSync('ed25519'),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  weak: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  stranger: generateKeyPairSync('ed25519'),
};
const HASH = { ed25519: null, stranger: null, p256: 'sha256', p384: 'sha384', rsa: 'sha256', weak: 'sha256' } as const;
type KeyName = keyof typeof KEYS;

export function entry(name: KeyName, more: Partial<AllowedSigner> = {}): AllowedSigner {
  const pem = KEYS[name].publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return {
    name,
    credential: { kind: 'public-key', pem },
    purposes: ['engine'],
    validFrom: undefined,
    validUntil: undefined,
    place: NOWHERE,
    ...more,
  };
}

export function idOf(name: KeyName): string {
  return sha256Of(KEYS[name].publicKey.export({ format: 'der', type: 'spki' }));
}

export interface Made {
  readonly command?: Partial<AgentCommand>;
  /** Bytes in place of a command. */
  readonly payload?: string;
  readonly key?: KeyName;
  readonly keyId?: string;
  readonly type?: string;
}

export function made({ command = {}, payload, key = 'ed25519', keyId = idOf(key), type = COMMAND_TYPE }: Made = {}): Uint8Array {
  const unsigned = { payloadType: type, payload: payload === undefined ? encodeCommand({ ...COMMAND, ...command }) : Buffer.from(payload) };
  const signature = sign(HASH[key], commandMessage(unsigned), KEYS[key].privateKey);
  return encodeEnvelope({ ...unsigned, keyId, signature });
}

/** Begun an hour ago. */
export const MEMORY = beginMemory(toInstant(NOW - 3600 * SECOND), toInstant(0));

export interface Asked {
  readonly signers?: readonly AllowedSigner[];
  readonly now?: number;
  readonly memory?: CommandMemory;
  readonly forbids?: (command: AgentCommand) => string | undefined;
}

export function answer(
  envelope: Uint8Array,
  { signers = [entry('ed25519')], now = NOW, memory = MEMORY, forbids = () => undefined }: Asked = {},
) {
  return judgeCommand({ envelope, agent: AGENT, signers, now: toInstant(now), memory, forbids });
}

export function code(envelope: Uint8Array, asked: Asked = {}): string {
  const { verdict } = answer(envelope, asked);
  return verdict.kind === 'accepted' ? `accepted: ${verdict.signer}` : verdict.code;
}
