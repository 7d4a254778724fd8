import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { ChangeRequest, GateReading } from '#model/promotion.ts';
import type { Move } from '#model/resolution.ts';
import {
  assessRisk,
  changeSetOfRequest,
  describeWaiting,
  draftPromotion,
  mayOpen,
  regateLock,
  shouldSupersede,
} from '#promotion/promotion.ts';
import { CHANGE, COMMIT, FROM, gates, GREETER, minutes, MOVE, NOW } from '#test/promotion/questions.ts';
import { environment } from '#test/resolve/worlds.ts';

test('risk starts at the floor of the environment and rises with what moves', () => {
  const prod = (risk: 'low' | 'high') => environment('prod', GREETER, { risk });
  const facts = { capsuleRisk: 'medium', irreversible: false, newClusterObjects: false } as const;
  const major: Move = { ...MOVE, to: { version: '2.0.0', sha256: sha256Of('c') } };

  expect(assessRisk(prod('low'), [{ move: MOVE, facts: undefined }])).toBe('low');
  expect(assessRisk(prod('low'), [{ move: MOVE, facts }])).toBe('medium');
  expect(assessRisk(prod('high'), [{ move: MOVE, facts }])).toBe('high');
  expect(assessRisk(prod('low'), [{ move: major, facts: { ...facts, irreversible: true } }])).toBe('critical');
  expect(assessRisk(prod('high'), [{ move: major, facts: { ...facts, irreversible: true, newClusterObjects: true } }])).toBe('critical');
  expect(assessRisk(prod('high'), [])).toBe('medium');
});

const gate = (status: GateReading['status'], type = 'check'): GateReading => ({
  name: type,
  type,
  status,
  detail: 'x',
  until: type === 'soak' ? minutes(6) : undefined,
});

test('a newer change set supersedes only when verified, of the same instances, and the open one still waits', () => {
  const open = { changeSet: 'cs-0', instances: ['greeter'], gates: [gate('waiting')] };
  const newer = { changeSet: CHANGE, verified: true };

  expect(shouldSupersede(open, newer)).toBe(true);
  expect(shouldSupersede(open, { ...newer, verified: false })).toBe(false);
  expect(shouldSupersede({ ...open, gates: [gate('passed')] }, newer)).toBe(false);
  expect(shouldSupersede({ ...open, instances: ['redis'] }, newer)).toBe(false);
  expect(shouldSupersede({ ...open, changeSet: CHANGE.id }, newer)).toBe(false);
});

const request = (more: Partial<ChangeRequest>): ChangeRequest => ({
  number: 1,
  state: 'open',
  title: '',
  body: '',
  author: 'capstan[bot]',
  head: 'promote/prod/cs-35abd357876817cd',
  headCommit: COMMIT,
  base: 'main',
  mergeCommit: undefined,
  closedBy: undefined,
  labels: [],
  url: '',
  updatedAt: NOW,
  ...more,
});

test('row 83: what a person closed stays closed until it is asked for', () => {
  const may = (existing: ChangeRequest | undefined, isAsked = false) => mayOpen(existing, 'capstan[bot]', isAsked);

  expect(may(undefined)).toBe(true);
  expect(may(request({}))).toBe(true);
  expect(may(request({ state: 'closed', closedBy: 'ada' }))).toBe(false);
  expect(may(request({ state: 'closed', closedBy: undefined }))).toBe(false);
  expect(may(request({ state: 'closed', closedBy: 'capstan[bot]' }))).toBe(true);
  expect(may(request({ state: 'closed', closedBy: 'ada' }), true)).toBe(true);
  expect(may(request({ state: 'merged' }))).toBe(false);
});

test('gates are read again for a lock that changed: time waits, others are stuck, an emergency needs its approvals', () => {
  const prod = environment('prod', GREETER);
  const verdict = (readings: readonly GateReading[], reason: 'promotion' | 'emergency' = 'promotion') => regateLock(prod, readings, reason);

  expect(verdict([gate('passed')])).toEqual({ kind: 'passed' });
  expect(verdict([gate('waiting', 'soak')])).toEqual({ kind: 'waiting', reasons: ['soak: x'], until: minutes(6) });
  expect(verdict([gate('waiting', 'soak'), gate('waiting', 'window')])).toMatchObject({ kind: 'waiting', until: undefined });
  const stuck = verdict([gate('waiting', 'soak'), gate('waiting', 'approval')]);
  expect(stuck.kind === 'stuck' && stuck.problems.map((one) => [one.code, one.message])).toEqual([
    ['gate-not-passed', 'the lock of prod changed, but gate approval (approval) is waiting: x'],
  ]);
  expect(verdict([gate('failed', 'signature'), gate('passed', 'approval')], 'emergency')).toEqual({ kind: 'passed' });
  expect(verdict([gate('waiting', 'approval')], 'emergency').kind).toBe('stuck');
  expect(verdict([gate('passed')], 'emergency').kind).toBe('stuck');
});

test('a draft names its branch by its change set, edits one file, and its patch applies with stock git', () => {
  const path = 'environments/prod/environment.lock.yaml';
  const before = Array.from({ length: 40 }, (_, at) => `line ${at}\n`).join('');
  const after = before.replace('line 3\n', 'line three\nand more\n').replace('line 30\n', '').replace('line 39\n', 'line 39');
  const draft = draftPromotion({
    environment: environment('prod', GREETER),
    from: toEnvironmentName('staging'),
    changeSet: CHANGE,
    risk: 'high',
    gates: gates(FROM),
    lock: { path, before, after },
    labels: ['promotion'],
    notes: ['hello --> <script> @everyone | `x`'],
    effect: { rendered: { kind: 'rendered', difference: undefined }, changelogs: [], schemas: [] },
  });
  const folder = mkdtempSync(join(tmpdir(), 'patch-'));
  writeFileSync(join(folder, 'lock'), before);
  execFileSync('git', ['apply', '-'], { cwd: folder, input: draft.file.patch.replaceAll(path, 'lock') });
  const applied = readFileSync(join(folder, 'lock'), 'utf8');
  rmSync(folder, { recursive: true });

  expect([draft.branch, draft.title, draft.file.content === after]).toEqual([
    'promote/prod/cs-35abd357876817cd',
    'promote(prod): greeter 1.4.1 → 1.4.2',
    true,
  ]);
  expect(applied).toBe(after);
  expect(draft.body).toContain('| greeter | greeter | 1.4.1 | 1.4.2 |');
  expect(draft.body).toContain('| soak | soak | waiting | until 2026-11-04T10:06:00.000Z |');
  expect(draft.body).toContain('- hello --&gt; &lt;script&gt; @\u2060everyone \\| \\`x\\`');
  expect(draft.body.match(/-->/g)?.length).toBe(1);
  expect(changeSetOfRequest(request({ head: 'elsewhere', body: draft.body }))).toBe(CHANGE.id);
  expect(changeSetOfRequest(request({}))).toBe(CHANGE.id);
  expect(changeSetOfRequest(request({ head: 'x', body: 'no' }))).toBe(undefined);
});

test('waiting is described in 140 characters, and in the same words while time passes', () => {
  const until = (detail: string): GateReading => ({ ...gate('waiting', 'soak'), detail });

  expect(describeWaiting([until('4m of 10m')])).toBe(describeWaiting([until('5m of 10m')]));
  expect(describeWaiting([until('4m of 10m'), gate('waiting')])).toBe('soak until 2026-11-04T10:06:00.000Z; check: x');
  expect(describeWaiting([gate('passed')])).toBe('all 1 gates passed');
  const long = describeWaiting(Array.from({ length: 20 }, () => ({ ...gate('failed'), detail: '\u{1F600}'.repeat(20) })));
  expect([long.length <= 140, long.isWellFormed()]).toEqual([true, true]);
});
