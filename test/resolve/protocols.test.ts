import { expect, test } from 'vitest';

import type { Capsule } from '#model/declarations.generated.ts';
import { environment, pin, resolvedLines, world } from '#test/resolve/worlds.ts';

type Spec = Partial<Capsule['spec']>;

function server(versions: readonly string[], tools: readonly string[] = ['greet']): Spec {
  const declared = Object.fromEntries(tools.map((tool) => [tool, { risk: 'low' as const }]));
  return {
    protocols: { mcp: { servers: { greeter: { transport: { type: 'stdio' }, protocolVersions: versions, tools: declared } } } },
  };
}

const CLIENT: Spec = {
  dependencies: { tools: { capsule: 'tools', version: '*' } },
  protocols: {
    mcp: { clients: { greeter: { dependency: 'tools', server: 'greeter', protocolVersions: ['2025-11-25'], tools: ['greet'] } } },
  },
};

function card(version: string, skill: string): Spec {
  return {
    provides: { a2a: { protocol: 'a2a' } },
    protocols: { a2a: { card: { skills: [{ id: skill }], supportedInterfaces: [{ protocolVersion: version }] } } },
  };
}

const CALLER: Spec = {
  ...card('1.0', 'call'),
  dependencies: { other: { capsule: 'other', version: '*', requires: { protocol: 'a2a' } } },
};

const BRIDGE: Spec = {
  dependencies: { other: { capsule: 'other', version: '*' }, tools: { capsule: 'tools', version: '*' } },
  protocols: {
    bridges: {
      hello: {
        from: { protocol: 'mcp', dependency: 'tools' },
        to: { protocol: 'a2a', dependency: 'other' },
        mapping: [{ tool: 'greet', skill: 'hello' }],
      },
    },
  },
};

const SHELF = world({
  tools: { '1.0.0': server(['2026-07-28'], ['hail']), '1.1.0': server(['2026-07-28', '2025-11-25']) },
  other: { '1.0.0': card('0.3', 'salute'), '1.1.0': card('1.0', 'hello') },
  agent: { '1.0.0': CLIENT },
  caller: { '1.0.0': CALLER },
  bridge: { '1.0.0': BRIDGE },
});

function asked(name: string): ReturnType<typeof environment> {
  return environment('dev', { [name]: { version: '*' } });
}

function lockedAt(name: string, others: readonly string[]): { readonly locked: ReturnType<typeof pin>[] } {
  return { locked: [pin(name, '1.0.0'), ...others.map((other) => pin(other, '1.0.0', { requestedBy: [name] }))] };
}

test('V-66 and V-70: a client is judged against the server that is locked', () => {
  expect(resolvedLines(SHELF, asked('agent'), lockedAt('agent', ['tools']))).toEqual([
    'V-66: tool "greet" is allowed but is not declared: tools@1.0.0 offers hail',
    'V-70: agent speaks only 2025-11-25; server greeter of tools@1.0.0 speaks only 2026-07-28',
  ]);
});

test('V-68: a bridge is judged against the tools and skills that are locked', () => {
  expect(resolvedLines(SHELF, asked('bridge'), lockedAt('bridge', ['other', 'tools']))).toEqual([
    'V-68: bridge hello maps to tool "greet", which tools@1.0.0 does not offer',
    'V-68: bridge hello maps to skill "hello", which other@1.0.0 does not offer',
  ]);
});

test('V-72: a call is judged against the card that is locked', () => {
  expect(resolvedLines(SHELF, asked('caller'), lockedAt('caller', ['other']))).toEqual([
    'V-72: caller calls other@1.0.0: no common A2A version (1.0 vs 0.3)',
  ]);
});

test.each(['agent', 'bridge', 'caller'])('V-66, V-68, V-70 and V-72: the newest versions are fine for %s', (name) => {
  expect(resolvedLines(SHELF, asked(name))[0]).toBe(`${name} ${name}@1.0.0 wave 1 by environment`);
});
