import { createPublicKey } from 'node:crypto';

import { readCanonicalJson } from '#model/canonical-text.ts';
import { type Sha256, sha256Of } from '#model/digest.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject, jsonText } from '#model/json.ts';

/** What an envelope with a command says it holds; compared exactly. */
export const COMMAND_TYPE = 'application/vnd.capstan.command+json';
/** Seconds that a command may live at most. */
export const LONGEST_TTL = 900;

/** What an agent is told to do. On the wire its keys are in snake case, as JCS (RFC 8785). */
export interface AgentCommand {
  readonly agentId: string;
  readonly tenantId: string;
  /** 32 hex digits. */
  readonly traceId: string;
  /** ULID. */
  readonly runId: string;
  /** What the policy was asked with. */
  readonly policyContext: JsonObject;
  readonly command: string;
  readonly args: JsonObject;
  /** At least 128 bits by chance, as 22 to 128 letters, digits, `-` and `_`. */
  readonly nonce: string;
  /** Seconds since 1970. */
  readonly iat: number;
  /** Seconds from `iat`, 1 to `LONGEST_TTL`. */
  readonly ttl: number;
}

/** A DSSE envelope, read and not verified. */
export interface CommandEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** sha256 of the key's SubjectPublicKeyInfo, as hex digits. */
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** How envelopes name a key: sha256 of its SubjectPublicKeyInfo (DER), from PEM. */
export function commandKeyId(publicKeyPem: string): Sha256 {
  return sha256Of(createPublicKey(publicKeyPem).export({ format: 'der', type: 'spki' }));
}

export type ReadCommand<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

const LARGEST = 64 * 1024;
const DEEPEST = 16;

/** The bytes of a command that are signed: one sequence for one command. */
export function encodeCommand(command: AgentCommand): Uint8Array {
  const payload = {
    agent_id: command.agentId,
    tenant_id: command.tenantId,
    trace_id: command.traceId,
    run_id: command.runId,
    policy_context: command.policyContext,
    command: command.command,
    args: command.args,
    nonce: command.nonce,
    iat: command.iat,
    ttl: command.ttl,
  };
  return Buffer.from(canonicalJson(payload), 'utf8');
}

/** Pre-authentication encoding of DSSE v1: what is signed beside the payload is its type. */
export function commandMessage({ payloadType, payload }: Pick<CommandEnvelope, 'payloadType' | 'payload'>): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

export function encodeEnvelope({ payloadType, payload, keyId, signature }: CommandEnvelope): Uint8Array {
  const signatures = [{ keyid: keyId, sig: Buffer.from(signature).toString('base64') }];
  return Buffer.from(canonicalJson({ payloadType, payload: Buffer.from(payload).toString('base64'), signatures }), 'utf8');
}

/** One payload and one signature, in their one spelling; anything else is refused before a key is looked at. */
export function parseEnvelope(bytes: Uint8Array): ReadCommand<CommandEnvelope> {
  const found = objectIn(bytes);
  if (!found.ok) return found;
  const { payloadType, payload, signatures, ...rest } = found.value;
  if (Object.keys(rest).length > 0) return refused('it has fields that no envelope has');
  const body = base64(payload);
  const list: readonly Json[] = Array.isArray(signatures) ? signatures : [];
  const [only] = list;
  if (typeof payloadType !== 'string' || body === undefined) return refused('it has no payload and type');
  if (list.length !== 1 || !isJsonObject(only)) return refused(`it has ${list.length} signatures; one is expected`);
  const { keyid, sig, ...more } = only;
  const signature = base64(sig);
  if (typeof keyid !== 'string' || signature === undefined || Object.keys(more).length > 0)
    return refused('its signature is not a keyid and a sig');
  return { ok: true, value: { payloadType, payload: body, keyId: keyid, signature } };
}

/** Reads a payload whose signature holds; it must be the one sequence of bytes for what it says. */
export function parseCommand(payload: Uint8Array): ReadCommand<AgentCommand> {
  const found = objectIn(payload);
  if (!found.ok) return found;
  const { agent_id, tenant_id, trace_id, run_id, policy_context, command, args, nonce, iat, ttl, ...rest } = found.value;
  if (Object.keys(rest).length > 0) return refused(`it has the unknown field ${JSON.stringify(Object.keys(rest)[0]?.slice(0, 60))}`);
  const wrong = Object.entries({ agent_id, tenant_id, trace_id, run_id, command, nonce }).find(
    ([name, text]) => SHAPES.get(name)?.test(jsonText(text)) !== true,
  );
  if (wrong !== undefined) return refused(`${wrong[0]} is not of its form`);
  if (!isJsonObject(policy_context) || !isJsonObject(args)) return refused('policy_context or args is no object');
  if (!isWhole(iat, 0, 8_640_000_000_000)) return refused('iat is not a time in seconds');
  if (!isWhole(ttl, 1, LONGEST_TTL)) return refused(`ttl is not 1 to ${LONGEST_TTL} seconds`);
  const value: AgentCommand = {
    agentId: jsonText(agent_id),
    tenantId: jsonText(tenant_id),
    traceId: jsonText(trace_id),
    runId: jsonText(run_id),
    policyContext: policy_context,
    command: jsonText(command),
    args,
    nonce: jsonText(nonce),
    iat,
    ttl,
  };
  return { ok: true, value };
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,198}[A-Za-z0-9])?$/;
const SHAPES: ReadonlyMap<string, RegExp> = new Map([
  ['agent_id', NAME],
  ['tenant_id', NAME],
  ['trace_id', /^[0-9a-f]{32}$/],
  ['run_id', /^[0-9A-HJKMNP-TV-Z]{26}$/],
  ['command', /^[a-z][a-z0-9-]{0,62}$/],
  ['nonce', /^[A-Za-z0-9_-]{22,128}$/],
]);

function isWhole(value: Json | undefined, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
}

function objectIn(bytes: Uint8Array): ReadCommand<JsonObject> {
  if (bytes.length > LARGEST) return refused(`it is larger than ${LARGEST} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refused('it is not UTF-8');
  }
  const value = readCanonicalJson(text, DEEPEST);
  return isJsonObject(value) ? { ok: true, value } : refused('it is no JSON object in canonical form (RFC 8785)');
}

function base64(value: Json | undefined): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
}

function refused(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
