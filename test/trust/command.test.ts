import { describe, expect, test } from 'vitest';

import { issueCommand } from '#loops/issue-command.ts';
import { beginMemory, encodeCommandMemory, MOST_NONCES, parseCommandMemory } from '#model/command-memory.ts';
import { type AgentCommand, COMMAND_TYPE, commandMessage, encodeCommand, encodeEnvelope, parseEnvelope } from '#model/command.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import type { Credential } from '#model/trust-policy.ts';
import { signerOf } from '#test/stories/shop.ts';
import {
  AGENT,
  answer,
  code,
  COMMAND,
  entry,
  IAT,
  idOf,
  KEYS,
  made,
  MEMORY,
  NOW,
  SECOND,
  YEAR,
  type Asked,
  type Made,
} from './build-command.ts';

/** A canonical payload with one field replaced or taken away. */
function withField(name: string, value: Json | undefined): string {
  const fields = JSON.parse(Buffer.from(encodeCommand(COMMAND)).toString('utf8')) as Record<string, Json>;
  const { [name]: _, ...rest } = fields;
  return canonicalJson(value === undefined ? rest : { ...rest, [name]: value });
}

test.each(['ed25519', 'p256', 'p384', 'rsa'] as const)('a command under a key of %s is accepted, as it was said', (key) => {
  const { verdict, memory } = answer(made({ key }), { signers: [entry(key)] });

  expect(verdict).toEqual({ kind: 'accepted', command: COMMAND, signer: key });
  expect([...memory.nonces]).toEqual([[COMMAND.nonce, (IAT + 300) * SECOND]]);
});

test('the engine issues what agents accept', async () => {
  const signer = signerOf('capstan');
  const world = { signer, clock: { now: () => NOW }, ids: { traceId: () => 'f'.repeat(32), runId: () => COMMAND.runId } };
  const { nonce: _, iat: __, ...draft } = COMMAND;
  const credential: Credential = { kind: 'ssh-key', key: signer.publicKey };
  const signers = [{ ...entry('ed25519'), name: 'engine', credential }];

  expect(answer(await issueCommand(world, draft), { signers }).verdict).toEqual({
    kind: 'accepted',
    command: { ...COMMAND, nonce: 'f'.repeat(32) },
    signer: 'engine',
  });
  await expect(issueCommand(world, { ...draft, ttl: 901 })).rejects.toThrow('ttl is not 1 to 900 seconds');
});

test('a known command has these bytes and this message, on any machine', () => {
  const vector = { ...COMMAND, args: {}, policyContext: {} };
  const text = `{"agent_id":"edge/eu-1","args":{},"command":"restart","iat":${IAT},"nonce":"abcdefghijklmnopqrstuv","policy_context":{},"run_id":"01JX5Z8Q0V9W3N4K5M6P7R8S9T","tenant_id":"acme","trace_id":"0123456789abcdef0123456789abcdef","ttl":300}`;
  const payload = encodeCommand(vector);

  expect(Buffer.from(payload).toString('utf8')).toBe(text);
  expect(Buffer.from(commandMessage({ payloadType: COMMAND_TYPE, payload })).toString('utf8')).toBe(
    `DSSEv1 36 application/vnd.capstan.command+json ${text.length} ${text}`,
  );
});

describe('what is refused, in this order', () => {
  const good = Buffer.from(made()).toString('utf8');
  const other = (of: Record<string, unknown>): Uint8Array => Buffer.from(canonicalJson({ ...(JSON.parse(good) as object), ...of } as Json));

  test.each<[string, Uint8Array, Asked, string]>([
    ['no envelope', Buffer.from('{'), {}, 'malformed-command'],
    ['no UTF-8', Buffer.from([0xff, 0xfe]), {}, 'malformed-command'],
    ['70 KB', Buffer.alloc(70_000, ' '), {}, 'malformed-command'],
    ['sixty thousand brackets', Buffer.from('['.repeat(60_000)), {}, 'malformed-command'],
    ['an envelope with a key twice', Buffer.from(good.replace('{"payload"', '{"payload":"","payload"')), {}, 'malformed-command'],
    ['an envelope with white space', Buffer.from(`${good} `), {}, 'malformed-command'],
    ['an envelope with an algorithm', other({ alg: 'HS256' }), {}, 'malformed-command'],
    ['no signature', other({ signatures: [] }), {}, 'malformed-command'],
    [
      'two signatures',
      other({
        signatures: [
          { keyid: 'a', sig: '' },
          { keyid: 'b', sig: '' },
        ],
      }),
      {},
      'malformed-command',
    ],
    ['a payload that is no base64', other({ payload: '!' }), {}, 'malformed-command'],
    ['another payload type', made({ type: 'application/vnd.in-toto+json' }), {}, 'wrong-payload-type'],
    ['a payload type in capitals', made({ type: COMMAND_TYPE.toUpperCase() }), {}, 'wrong-payload-type'],
    ['the type changed after it was signed', other({ payloadType: `${COMMAND_TYPE}; charset=utf-8` }), {}, 'wrong-payload-type'],
    ['an unknown key', made({ key: 'stranger' }), {}, 'unknown-key'],
    ["a stranger's signature under a known key's name", made({ key: 'stranger', keyId: idOf('ed25519') }), {}, 'bad-signature'],
    ['a key without a name', made({ keyId: '' }), {}, 'unknown-key'],
    ['a key for something else', made(), { signers: [entry('ed25519', { purposes: ['commit', 'evidence'] })] }, 'unknown-key'],
    ['a weak key', made({ key: 'weak' }), { signers: [entry('weak')] }, 'unknown-key'],
    ['a key that has ended', made(), { signers: [entry('ed25519', { validUntil: '2026-05-31' })] }, 'outside-window'],
    ['a key that has not begun', made(), { signers: [entry('ed25519', { validFrom: '2026-06-02' })] }, 'outside-window'],
    [
      'a payload changed after it was signed',
      other({ payload: Buffer.from(withField('command', 'delete')).toString('base64') }),
      {},
      'bad-signature',
    ],
    ['a payload that is no JSON', made({ payload: 'restart' }), {}, 'malformed-command'],
    ['a payload with white space', made({ payload: `${withField('ttl', 300)} ` }), {}, 'malformed-command'],
    ['a payload in another order', made({ payload: `{"ttl":300,${withField('ttl', undefined).slice(1)}` }), {}, 'malformed-command'],
    ['a field twice', made({ payload: withField('ttl', 300).replace('"ttl":300', '"ttl":300,"ttl":900') }), {}, 'malformed-command'],
    ['an unknown field', made({ payload: withField('token', 'x') }), {}, 'malformed-command'],
    [
      '__proto__ among the arguments',
      made({ payload: withField('args', 0).replace('"args":0', '"args":{"__proto__":1}') }),
      {},
      'malformed-command',
    ],
    ['a missing tenant', made({ payload: withField('tenant_id', undefined) }), {}, 'malformed-command'],
    ['an empty tenant', made({ command: { tenantId: '' } }), {}, 'malformed-command'],
    ['a short nonce', made({ command: { nonce: 'abc' } }), {}, 'malformed-command'],
    ['no nonce', made({ payload: withField('nonce', undefined) }), {}, 'malformed-command'],
    ['a ttl of 901 seconds', made({ command: { ttl: 901 } }), {}, 'malformed-command'],
    ['a ttl of none', made({ command: { ttl: 0 } }), {}, 'malformed-command'],
    ['a ttl of half a second', made({ command: { ttl: 0.5 } }), {}, 'malformed-command'],
    ['an iat that is a text', made({ payload: withField('iat', String(IAT)) }), {}, 'malformed-command'],
    ['another agent', made({ command: { agentId: 'edge/eu-2' } }), {}, 'wrong-agent'],
    ['an agent in capitals', made({ command: { agentId: 'EDGE/eu-1' } }), {}, 'wrong-agent'],
    ['another tenant', made({ command: { tenantId: 'rival' } }), {}, 'wrong-tenant'],
    ['61 seconds from now', made({ command: { iat: IAT + 61 } }), {}, 'issued-in-future'],
    ['a command that is over', made({ command: { iat: IAT - 301 } }), {}, 'expired-command'],
    ['a policy that forbids', made(), { forbids: () => 'restarts are frozen' }, 'not-allowed'],
  ])('%s', (_, envelope, asked, expected) => {
    expect(code(envelope, asked)).toBe(expected);
  });

  test.each<[string, Partial<AgentCommand>, number]>([
    ['60 seconds ahead', { iat: IAT + 60 }, NOW],
    ['in its last second', { iat: IAT - 300 }, NOW],
    ['that lives a quarter of an hour', { ttl: 900 }, NOW],
    ['that lives a second', { ttl: 1 }, NOW + 999],
  ])('but one %s is accepted', (_, command, now) => {
    expect(code(made({ command }), { now })).toBe('accepted: ed25519');
  });

  test('what is wrong in several ways is refused for the first', () => {
    const worst = { agentId: 'x', tenantId: 'x', iat: IAT - 9999 };
    const steps: readonly [Made, Asked][] = [
      [{ key: 'stranger', command: worst }, {}],
      [{ command: worst }, {}],
      [{ command: { ...worst, agentId: AGENT.agentId } }, {}],
      [{ command: { ...worst, ...AGENT } }, {}],
    ];

    expect(steps.map(([one, asked]) => code(made(one), asked))).toEqual(['unknown-key', 'wrong-agent', 'wrong-tenant', 'expired-command']);
  });
});

describe('a secret that sender and agent share is no key', () => {
  const secret = Buffer.alloc(32, 's').toString('base64');

  test.each([
    ['a PEM of a secret', `-----BEGIN SECRET KEY-----\n${secret}\n-----END SECRET KEY-----\n`],
    ['a JSON web key of type oct', `{"kty":"oct","k":"${secret}"}`],
    ['a bare text', secret],
    ['a private key', KEYS.ed25519.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()],
  ])('%s in place of a public key vouches for nothing', (_, pem) => {
    const signers = [entry('ed25519', { credential: { kind: 'public-key', pem } })];

    expect(code(made(), { signers })).toBe('unknown-key');
    expect(code(made({ keyId: sha256Of(pem) }), { signers })).toBe('unknown-key');
  });

  test('an HMAC under the public key is no signature', () => {
    const envelope = parseEnvelope(made());
    if (!envelope.ok) throw new Error(envelope.reason);

    expect(code(encodeEnvelope({ ...envelope.value, signature: Buffer.alloc(32, 1) }))).toBe('bad-signature');
  });
});

describe('once', () => {
  test('the same command a second time, and again after a restart', () => {
    const first = answer(made());
    const kept = parseCommandMemory(encodeCommandMemory(first.memory));
    if (kept === undefined) throw new Error('the memory could not be read');

    expect(code(made(), { memory: first.memory })).toBe('replayed-command');
    expect(code(made({ command: { args: {} } }), { memory: first.memory })).toBe('replayed-command');
    expect(kept).toEqual(first.memory);
    expect(code(made(), { memory: kept, now: NOW + 299 * SECOND })).toBe('replayed-command');
    expect(code(made(), { memory: kept, now: NOW + 301 * SECOND })).toBe('expired-command');
  });

  test('a command that policy forbade stays spent', () => {
    const { memory } = answer(made(), { forbids: () => 'frozen' });

    expect(code(made(), { memory })).toBe('replayed-command');
  });

  test('what is not genuine, or not in time, is not remembered', () => {
    for (const one of [{ key: 'stranger' as const }, { command: { tenantId: 'rival' } }, { command: { iat: IAT - 9999 } }])
      expect(answer(made(one)).memory.nonces.size).toBe(0);
  });

  test('a memory that was lost refuses what could have been done before, and takes it when sent again', () => {
    const lost = beginMemory(toInstant(NOW + 10 * SECOND), toInstant(0));
    const at = (seconds: number) => ({ memory: lost, now: NOW + seconds * SECOND });

    expect(code(made(), at(20))).toBe('issued-before-memory');
    expect(code(made({ command: { iat: IAT + 60 } }), at(20))).toBe('issued-before-memory');
    expect(code(made({ command: { iat: IAT + 71 } }), at(71))).toBe('accepted: ed25519');
  });

  test('the memory is bounded, and forgets only what cannot come again', () => {
    const full = new Map(Array.from({ length: MOST_NONCES }, (_, index) => [`n${index}`, toInstant(NOW + 100 * SECOND)] as const));
    const memory = { ...MEMORY, nonces: full };
    const later = answer(made(), { memory, now: NOW + 101 * SECOND });

    expect(code(made(), { memory })).toBe('memory-full');
    expect(later.verdict.kind).toBe('accepted');
    expect(later.memory.nonces.size).toBe(1);
  });

  test.each([
    '',
    '{',
    '{"version":2}',
    encodeCommandMemory(MEMORY).replace('"floor":1', '"floor":-1'),
    '{"begun":1,"floor":0,"nonces":{},"version":1}',
  ])('a memory that says %j is no memory', (text) => {
    expect(parseCommandMemory(text)).toBe(undefined);
  });
});

describe('row 73: a time source that is wrong by ten years', () => {
  const memory = answer(made()).memory;

  test('behind: nothing is done, whatever is asked, and the floor stays', () => {
    const past = NOW - 10 * YEAR;
    const asked = answer(made({ command: { iat: Math.floor(past / SECOND), nonce: 'another-nonce-of-22-ch' } }), { memory, now: past });

    expect(asked.verdict).toMatchObject({ kind: 'refused', code: 'clock-behind' });
    expect(asked.memory).toBe(memory);
  });

  test('behind by one millisecond: refused; at the floor: accepted', () => {
    const other = made({ command: { nonce: 'another-nonce-of-22-ch' } });

    expect(code(other, { memory, now: NOW - 1 })).toBe('clock-behind');
    expect(code(other, { memory, now: NOW })).toBe('accepted: ed25519');
  });

  test('ahead: commands of now are over, and no command moves the floor', () => {
    const future = answer(made({ command: { nonce: 'another-nonce-of-22-ch' } }), { memory, now: NOW + 10 * YEAR });

    expect(future.verdict).toMatchObject({ code: 'expired-command' });
    expect(answer(made({ command: { iat: IAT + 60, nonce: 'another-nonce-of-22-ch' } }), { memory }).memory.floor).toBe(NOW);
  });

  test('behind, and the memory lost: the time known from elsewhere is the floor', () => {
    const lost = beginMemory(toInstant(NOW - 10 * YEAR), NOW);

    expect(code(made(), { memory: lost, now: NOW - 10 * YEAR })).toBe('clock-behind');
  });
});
