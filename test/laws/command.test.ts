import fc from 'fast-check';
import { test } from 'vitest';

import { beginMemory, encodeCommandMemory, parseCommandMemory } from '#model/command-memory.ts';
import { type AgentCommand, encodeCommand, parseCommand } from '#model/command.ts';
import { type Instant, toInstant } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { answer, COMMAND, IAT, made, MEMORY, NOW, SECOND } from '#test/trust/build-command.ts';

const HEX = '0123456789abcdef'.split('');
const LETTERS = 'abcXYZ019-_'.split('');
const json = fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as Json);
const command = fc.record({
  traceId: fc.string({ unit: fc.constantFrom(...HEX), minLength: 32, maxLength: 32 }),
  nonce: fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 22, maxLength: 128 }),
  iat: fc.integer({ min: 0, max: 4_000_000_000 }),
  ttl: fc.integer({ min: 1, max: 900 }),
  args: fc.dictionary(fc.string(), json).filter((args) => !/__proto__|constructor|prototype/.test(JSON.stringify(args))),
});

test('a command that is written is read back, byte for byte', () => {
  fc.assert(
    fc.property(command, (some) => {
      const whole = { ...COMMAND, ...some } as AgentCommand;
      const bytes = encodeCommand(whole);
      const read = parseCommand(bytes);
      return read.ok && Buffer.from(encodeCommand(read.value)).equals(Buffer.from(bytes));
    }),
  );
});

test('a byte that changes anywhere is never accepted as another command', () => {
  const envelope = Buffer.from(made());
  fc.assert(
    fc.property(fc.nat(envelope.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Buffer.from(envelope);
      changed[at] = (changed[at] ?? 0) ^ by;
      const { verdict } = answer(changed);
      return verdict.kind === 'refused' || canonicalJson(verdict.command as unknown as Json) === canonicalJson(COMMAND as unknown as Json);
    }),
    { numRuns: 500 },
  );
});

test('however commands, restarts, losses and clocks come, no command is done twice', () => {
  const event = fc.record({
    which: fc.nat(4),
    step: fc.integer({ min: -900, max: 900 }),
    what: fc.constantFrom('send', 'send', 'send', 'restart', 'lose'),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const done = new Set<string>();
      let now: Instant = NOW;
      let memory = MEMORY;
      for (const { which, step, what } of events) {
        // The true time only goes on; what is lost is lost with a clock that is right.
        now = toInstant(what === 'lose' ? Math.max(now, memory.floor) : Math.max(NOW, now + step * SECOND));
        if (what === 'restart') memory = parseCommandMemory(encodeCommandMemory(memory)) ?? memory;
        if (what === 'lose') memory = beginMemory(now, toInstant(0));
        if (what !== 'send') continue;
        const nonce = `nonce-of-command-number-${which}`;
        const reply = answer(made({ command: { nonce, iat: IAT + which * 200, ttl: 900 } }), { now, memory });
        memory = reply.memory;
        if (reply.verdict.kind === 'refused') continue;
        if (done.has(nonce)) return false;
        done.add(nonce);
      }
      return true;
    }),
    { numRuns: 200 },
  );
});
