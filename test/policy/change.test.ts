import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import type { Policy } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { toBlobId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { readPolicies } from '#policy/policy.ts';
import { regateLock } from '#promotion/promotion.ts';
import { GREETER } from '#test/promotion/questions.ts';
import { environment } from '#test/resolve/worlds.ts';

const NOW = toInstant(Date.parse('2026-11-04T10:00:00.000Z'));

function policy(name: string, spec: string): Declared<Policy> {
  const value = parse(`metadata: { name: ${name} }\nspec:\n${spec.trim().replaceAll(/^/gm, '  ')}`) as Policy;
  return {
    value,
    file: `policies/${name}.yaml`,
    blob: toBlobId('c'.repeat(40)),
    at: (pointer) => ({ file: `policies/${name}.yaml`, line: 1, column: 1, pointer }),
  };
}

const moved = (name: string, labels = {}) => ({
  capsule: { name, version: '2.0.0' },
  previous: { name, version: '1.0.0' },
  instance: name,
  name,
  labels,
});

type Question = Parameters<typeof readPolicies>[1];

function read(spec: string, more: Partial<Question> = {}): readonly string[] {
  const question: Question = {
    environment: environment('prod', GREETER, {}),
    on: 'promotion',
    at: NOW,
    change: { kind: 'promotion', risk: 'high', approvals: [{ user: 'bob', team: 'sre' }] },
    moved: [moved('greeter', { tier: 'web' }), moved('api')],
    lock: { capsules: {} },
    evidence: [],
    named: new Set(),
    ...more,
  };
  return readPolicies([policy('p', spec)], question).map((one) => `${one.status}: ${one.detail}`);
}

describe('a policy on promotion', () => {
  it('that holds, passes', () => {
    expect(read('on: [promotion]\nvalidations: [{ expression: size(change.approvals) >= 1 }]')).toEqual(['passed: holds']);
  });

  it('waits where approvals, evidence or time may still make it hold, and fails where nothing will', () => {
    const approvals = 'on: [promotion]\nvalidations: [{ expression: size(change.approvals) >= 2, message: two people }]';
    const content = "on: [promotion]\nvalidations: [{ expression: environment.name != 'prod', message: never }]";

    expect(read(approvals)).toEqual(['waiting: policy p: two people (change to prod)']);
    expect(read(content)).toEqual(['failed: policy p: never (change to prod)']);
  });

  it('is asked of each capsule that moves where it looks at them, and of those that it selects', () => {
    const each =
      'on: [promotion]\nvalidations: [{ expression: semver(capsule.version).major() == semver(previous.version).major(), message: a major version }]';

    expect(read(each)).toEqual(['failed: policy p: a major version (greeter to prod); policy p: a major version (api to prod)']);
    expect(read(`${each}\nmatch: { capsules: { matchLabels: { tier: web } } }`)).toEqual([
      'failed: policy p: a major version (greeter to prod)',
    ]);
  });

  it('warns and passes where it only warns', () => {
    expect(read('on: [promotion]\nenforcement: warn\nvalidations: [{ expression: "false", message: careful }]')).toEqual([
      'passed: policy p: careful (change to prod)',
    ]);
  });

  it('lets an emergency pass where an exception says so, until it ends', () => {
    const strict = (until: string) =>
      `on: [promotion]\nvalidations: [{ expression: "false", message: no }]\nexceptions: [{ match: { change: emergency }, until: ${until}, ticket: SEC-9 }]`;
    const change = { kind: 'emergency' };

    expect(read(strict('2027-01-31'), { change })).toEqual(['passed: policy p: no (change to prod); let through until 2027-01-31 (SEC-9)']);
    expect(read(strict('2027-01-31'))).toEqual(['failed: policy p: no (change to prod)']);
    expect(read(strict('2026-01-31'), { change })).toEqual(['failed: policy p: no (change to prod)']);
  });

  it('takes an exception for one capsule only where nothing else moves', () => {
    const strict =
      'on: [promotion]\nvalidations: [{ expression: "false", message: no }]\nexceptions: [{ match: { capsule: api }, until: 2027-01-31 }]';

    expect(read(strict)).toEqual(['failed: policy p: no (change to prod)']);
    expect(read(strict, { moved: [moved('api')] })).toEqual([expect.stringMatching(/^passed: .*let through/)]);
  });

  it('that cannot be evaluated does not pass, unless it says ignore', () => {
    const broken = 'on: [promotion]\nvalidations: [{ expression: environment.nothing.there }]';

    expect(read(broken)).toEqual([expect.stringMatching(/^failed: policy p: validation 1 could not be evaluated/)]);
    expect(read(`${broken}\nfailurePolicy: ignore`)).toEqual(['passed: holds']);
  });

  it('is not asked elsewhere, unless a gate names it', () => {
    const elsewhere =
      'on: [promotion]\nmatch: { environments: { matchLabels: { stage: x } } }\nvalidations: [{ expression: "false", message: no }]';

    expect(read(elsewhere)).toEqual([]);
    expect(read(elsewhere, { named: new Set(['p']) })).toEqual(['failed: policy p: no (change to prod)']);
    expect(read('on: [render]\nvalidations: [{ expression: "false" }]', { named: new Set(['p']) })).toEqual([
      'inconclusive: policy p is not judged on promotion',
    ]);
  });
});

describe('an emergency', () => {
  const gate = (type: string, status: 'passed' | 'failed') => ({ name: type, type, status, detail: '', until: undefined });
  const regated = (...gates: ReturnType<typeof gate>[]) => regateLock(environment('prod', GREETER, {}), gates, 'emergency').kind;

  it('needs approvals and what policies ask, and nothing else', () => {
    expect(regated(gate('approval', 'passed'), gate('policy', 'passed'), gate('soak', 'failed'))).toBe('passed');
    expect(regated(gate('approval', 'passed'), gate('policy', 'failed'))).toBe('stuck');
    expect(regated(gate('policy', 'passed'))).toBe('stuck');
  });
});
