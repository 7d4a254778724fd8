import { execFileSync } from 'node:child_process';

import { expect, test } from 'vitest';

import {
  auditCommitMessage,
  checkAuditCommit,
  checkChain,
  checkLockCommit,
  checkRenderedCommit,
  draftRecords,
  emptyLedger,
  extendLedger,
  historyRows,
  lockCommitMessage,
  parseTrailers,
  recordDigest,
  renderedCommitMessage,
  whatRanAt,
} from '#ledger/ledger.ts';
import { sha256Of, toSha256, toTreeId } from '#model/digest.ts';
import { toCapsuleName, toEnvironmentName } from '#model/names.ts';
import type { AuditRecord, Ending } from '#model/receipt.ts';
import { RUN, PROD, EU, GREETER, at, commit, tree, content, told, options, story } from '#test/ledger/told.ts';
import type { Told } from '#test/ledger/told.ts';

test('a run that moves an instance leaves one record, with its path, chain and CDEvents type', () => {
  const first = draftRecords(emptyLedger(), [told({ acted: true })], options(5));
  const second = draftRecords(first.ledger, [told({ version: '1.4.2', acted: true })], options(60));

  const [record] = second.records;
  expect(first.records.map((one) => one.type)).toEqual(['dev.cdevents.service.deployed.0.3.0']);
  expect(record).toEqual({
    specversion: '1.0',
    id: record?.id,
    source: '/gitops/acme-platform',
    type: 'dev.cdevents.service.upgraded.0.3.0',
    subject: 'prod/eu-1/greeter',
    time: '2026-11-04T10:01:00.000Z',
    datacontenttype: 'application/json',
    traceparent: record?.traceparent,
    data: {
      seq: 2,
      prev: `sha256:${recordDigest(first.records[0] as AuditRecord)}`,
      run_id: RUN.runId,
      trace_id: RUN.traceId,
      tenant_id: 'acme',
      actor: { type: 'engine', onBehalfOf: ['ada'] },
      action: 'sync',
      outcome: 'success',
      reason: 'promotion',
      cause: 'webhook',
      environment: 'prod',
      target: 'eu-1',
      instance: 'greeter',
      capsule: 'greeter',
      changeSet: 'cs-35abd357876817cd',
      changeRequest: 'acme/platform#128',
      from: { version: '1.4.1', sha256: content('1.4.1') },
      to: { version: '1.4.2', sha256: content('1.4.2') },
      health: 'healthy',
      targetHealth: 'healthy',
      gates: [],
      desiredState: { id: commit('main'), source: 'acme/platform' },
      revision: commit('main'),
      commit: commit('1.4.2'),
      rendering: sha256Of('rendering 1.4.2'),
      ending: 'settled',
      driftDetected: false,
      changed: true,
      objects: { created: 0, updated: 1, deleted: 0, unchanged: 0 },
      idempotencyKey: record?.data['idempotencyKey'],
      durationMs: 4000,
    },
  });
  expect(record?.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(record?.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
  expect(second.files).toEqual([{ path: `audit/2026/11/04/${record?.id}.json`, content: second.files[0]?.content }]);
  expect(sha256Of(second.files[0]?.content ?? '')).toBe(recordDigest(record as AuditRecord));
});

test('quiet: a run that tells nothing new leaves nothing, even when main has moved', () => {
  expect(story([0, { acted: true }], [100, {}], [200, { revision: 'unrelated commit' }]).counts).toEqual([1, 0, 0]);
});

test('drift that was put right is told, and a waiting reason that changes is not', () => {
  const waiting = (reason: string): Ending => ({ kind: 'waiting', reasons: [reason], until: undefined });

  expect(story([0, { acted: true }], [100, { drift: true, acted: true }], [200, {}]).counts).toEqual([1, 1, 1]);
  expect(story([0, { acted: true, ending: waiting('1m') }], [100, { ending: waiting('2m') }]).counts).toEqual([1, 0]);
});

test('after a crash between apply and record the next run says that it found the work done', () => {
  const { records } = story([0, { acted: true }], [60, { version: '1.4.2' }], [120, { version: '1.4.2' }]);

  expect(records.map((one) => [one.data['to'], one.data['recovered']])).toEqual([
    [{ version: '1.4.1', sha256: content('1.4.1') }, undefined],
    [{ version: '1.4.2', sha256: content('1.4.2') }, true],
  ]);
});

test('worse health is told at once, better health at most once a minute with the last state kept', () => {
  const runs = [
    [0, { acted: true, health: 'progressing' }],
    [5, { health: 'healthy' }],
    [10, { health: 'degraded' }],
    [15, { health: 'healthy' }],
    [20, { health: 'progressing' }],
    [69, { health: 'healthy' }],
    [71, { health: 'healthy' }],
  ] as const;

  const { records, counts } = story(...runs);
  const held = draftRecords(story(...runs.slice(0, 3)).ledger, [told({ health: 'healthy' })], options(15));

  expect(counts).toEqual([1, 1, 1, 0, 0, 0, 1]);
  expect(records.map((one) => one.data['health'])).toEqual(['progressing', 'healthy', 'degraded', 'healthy']);
  expect(held.heldUntil).toBe(at(70));
});

test('the first health of a change is told at once, however little ago another change got well', () => {
  const { counts } = story(
    [0, { acted: true, health: 'progressing' }],
    [5, { health: 'healthy' }],
    [10, { version: '1.4.2', acted: true, health: 'progressing' }],
    [15, { version: '1.4.2', health: 'healthy' }],
    [20, { version: '1.4.2', health: 'progressing' }],
    [25, { version: '1.4.2', health: 'healthy' }],
  );

  expect(counts).toEqual([1, 1, 1, 1, 1, 0]);
});

test('a consumer that flaps does not fill the ledger, although its endings change, too', () => {
  const waiting: Ending = { kind: 'waiting', reasons: ['health'], until: undefined };
  const runs = Array.from({ length: 12 }, (_, turn): readonly [number, Told] => [
    turn * 10,
    turn % 2 === 0 ? { acted: turn === 0 } : { health: 'progressing', ending: waiting },
  ]);

  expect(story(...runs).counts).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0]);
});

test('a ledger extended record by record equals the one the drafts gave', () => {
  const { ledger, records } = story(
    [0, { acted: true }],
    [60, { version: '1.4.2', acted: true }],
    [200, { version: '1.4.2', health: 'degraded' }],
  );

  let grown = emptyLedger();
  for (const record of records) grown = extendLedger(grown, [record]);

  expect(records.length).toBe(3);
  expect(grown).toEqual(ledger);
  expect(extendLedger(emptyLedger(), JSON.parse(JSON.stringify(records)))).toEqual(ledger);
});

test('the chain names the record where it breaks: content, gap, order, fork', () => {
  const { records } = story([0, { acted: true }], [60, { version: '1.4.2', acted: true }], [120, { version: '1.4.3', acted: true }]);
  const [a, b, c] = records as [AuditRecord, AuditRecord, AuditRecord];
  const codes = (...list: AuditRecord[]) => checkChain(list).map((one) => [one.code, one.place.file?.split('/').at(-1)]);
  const forged = { ...b, data: { ...b.data, outcome: 'failure' } } as AuditRecord;

  expect(codes(a, b, c)).toEqual([]);
  expect(codes(a, forged, c)).toEqual([['audit-chain', `${c.id}.json`]]);
  expect(codes(a, c)).toEqual([['audit-gap', `${c.id}.json`]]);
  expect(codes(b, c)).toEqual([['audit-gap', `${b.id}.json`]]);
  expect(codes(a, c, b).map(([code]) => code)).toEqual(['audit-gap', 'audit-order']);
  expect(codes(a, b, forged, c).map(([code]) => code)).toEqual(['audit-fork', 'audit-chain']);
  expect(checkChain([c], { seq: 2, prev: `sha256:${recordDigest(b)}` })).toEqual([]);
});

test('history answers what ran when, and filters', () => {
  const { records } = story([0, { acted: true }], [60, { version: '1.4.2', acted: true }], [200, { version: '1.4.2', health: 'degraded' }]);

  expect(whatRanAt(records, PROD, at(-1))).toEqual([]);
  expect(whatRanAt(records, PROD, at(59)).map((one) => `${one.target} ${one.instance} ${one.version} ${one.health} ${one.since}`)).toEqual([
    'eu-1 greeter 1.4.1 healthy 2026-11-04T10:00:00.000Z',
  ]);
  expect(whatRanAt(records, PROD, at(300)).map((one) => `${one.version} ${one.health}`)).toEqual(['1.4.2 degraded']);
  expect(historyRows(records, { since: at(60), at: at(100) }).map((row) => `${row.seq} ${row.from} ${row.to}`)).toEqual(['2 1.4.1 1.4.2']);
  expect(historyRows(records, { capsule: 'other' })).toEqual([]);
  expect(historyRows(records, { environment: 'prod', capsule: 'greeter' }).length).toBe(3);
});

const RENDERED = {
  ...RUN,
  environment: PROD,
  targets: [EU],
  capsules: [{ capsule: toCapsuleName('greeter'), version: '1.4.2', gitTree: tree('greeter') }],
  sourceCommit: commit('main'),
  changeSet: 'cs-35abd357876817cd',
  changeRequest: 'acme/platform#128',
  approvedBy: ['ada', 'bob'],
  gates: [{ name: 'soak', type: 'soak', status: 'passed', detail: '24h of 24h', until: undefined }],
  reason: 'promotion',
} as const;

test('stock git reads the trailers that we read', () => {
  const messages = [
    renderedCommitMessage(RENDERED),
    lockCommitMessage({ ...RENDERED, from: toEnvironmentName('staging'), title: 'promote(prod): greeter 1.4.1 → 1.4.2' }),
    auditCommitMessage({ ...RUN, environment: PROD, targets: [EU], records: [sha256Of('a'), sha256Of('b')] }),
    renderedCommitMessage({ ...RENDERED, approvedBy: ['eve\nReason: emergency', 'mallory\r\n\r\nGate: x=passed'] }),
  ];

  for (const message of messages) {
    const git = execFileSync('git', ['interpret-trailers', '--parse'], { input: message, encoding: 'utf8' });
    expect(
      parseTrailers(message)
        .map(({ key, value }) => `${key}: ${value}\n`)
        .join(''),
    ).toBe(git);
  }
  expect(messages[0]).toBe(`render(prod): greeter 1.4.2

Environment: prod
Target: eu-1
Capsule: greeter@1.4.2
Capsule-Tree: ${tree('greeter')}
Source-Commit: ${commit('main')}
Change-Request: acme/platform#128
Change-Set: cs-35abd357876817cd
Approved-By: ada
Approved-By: bob
Gate: soak=passed (24h of 24h)
Run-Id: ${RUN.runId}
Trace-Id: ${RUN.traceId}
Reason: promotion
`);
  expect(parseTrailers(messages[3] ?? '').filter((one) => one.key === 'Reason')).toEqual([{ key: 'Reason', value: 'promotion' }]);
});

test.each([
  ['subject only', 'subject\n', []],
  ['a body that ends without trailers', 'subject\n\nbody: of text\nand more\n', []],
  ['a forge line between', 'subject (#1)\n\nfix\n\nA: 1\nB: 2\n', ['A=1', 'B=2']],
  ['folded values', 'subject\n\nA: 1\n  2\nB: 3\n', ['A=1 2', 'B=3']],
  ['sign-off among prose', 'subject\n\nsome prose\nSigned-off-by: x <y>\n', ['Signed-off-by=x <y>']],
])('trailers of a message with %s are those of stock git', (_, message, expected) => {
  const git = execFileSync('git', ['interpret-trailers', '--parse'], { input: message, encoding: 'utf8' });

  expect(parseTrailers(message).map(({ key, value }) => `${key}=${value}`)).toEqual(expected);
  expect(git).toBe(
    parseTrailers(message)
      .map(({ key, value }) => `${key}: ${value}\n`)
      .join(''),
  );
});

function metadata(version: string, gitTree: string, bytes: string) {
  const objects = [{ path: 'greeter/a.yaml', sha256: sha256Of(bytes) }];
  return { instances: { greeter: { capsule: 'greeter', version, gitTree, objects } } };
}

test('a rendered commit is checked against its own tree', () => {
  const files = (text: string) =>
    new Map([
      ['eu-1/greeter/a.yaml', Buffer.from(text)],
      ['eu-1/render.metadata', Buffer.from('{}')],
    ]);
  const before = new Map([['eu-1', metadata('1.4.1', tree('old'), 'old')]]);
  const after = new Map([['eu-1', metadata('1.4.2', tree('greeter'), 'new')]]);
  const message = renderedCommitMessage(RENDERED);
  type At = Omit<Parameters<typeof checkRenderedCommit>[0], 'environment'> & { readonly environment?: string };
  const codes = (commitAt: At) => checkRenderedCommit({ environment: 'prod', ...commitAt }).map((one) => one.code);

  expect(codes({ message, before, after, files: files('new') })).toEqual([]);
  expect(codes({ message, before, after, files: files('new'), environment: 'dev' })).toEqual(['trailer-mismatch']);
  expect(codes({ message, before, after, files: files('forged') })).toEqual(['rendered-digest']);
  expect(codes({ message, before, after, files: new Map() })).toEqual(['rendered-missing']);
  expect(codes({ message, before, after, files: files('new').set('eu-1/greeter/b.yaml', Buffer.from('')) })).toEqual(['rendered-stray']);
  expect(codes({ message, before: after, after: before, files: files('old') })).toEqual(['trailer-mismatch']);
  expect(codes({ message: 'by hand\n', before, after, files: files('new') })).toEqual([
    ...Array.from({ length: 5 }, () => 'trailer-missing'),
    'trailer-mismatch',
    'trailer-mismatch',
  ]);
});

test('lock and audit commits say what they change', () => {
  const pin = (version: string, gitTree: string) => ({
    instance: GREETER,
    capsule: toCapsuleName('greeter'),
    version,
    commit: commit(version),
    gitTree: toTreeId(gitTree),
    sha256: toSha256(content(version)),
    requestedBy: ['environment'],
  });
  const message = lockCommitMessage({ ...RENDERED, from: undefined, title: 'promote(prod): greeter 1.4.1 → 1.4.2' });
  const { records } = story([0, { acted: true }], [60, { version: '1.4.2', acted: true }]);
  const audit = auditCommitMessage({ ...RUN, environment: PROD, targets: [EU], records: records.map((one) => recordDigest(one)) });

  expect(checkLockCommit(message, [pin('1.4.1', tree('old'))], [pin('1.4.2', tree('greeter'))])).toEqual([]);
  expect(checkLockCommit(message, [pin('1.4.1', tree('old'))], [pin('1.4.3', tree('greeter'))]).map((one) => one.code)).toEqual([
    'trailer-mismatch',
  ]);
  expect(checkAuditCommit(audit, records)).toEqual([]);
  expect(checkAuditCommit(audit, records.slice(1)).map((one) => one.code)).toEqual(['trailer-mismatch']);
});
