import { describe, expect, test } from 'vitest';

import { environment } from '#test/desired/declarations.ts';
import { dev, found, NOW, project, web, type Files } from '#test/desired/operation-documents.ts';

const WEB = web('components: { web: { kind: Deployment, image: a } }');
const RUNS = 'capsules: { web: { version: ^1.0.0 } }';
const WEEK = 'rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH", start: "2026-01-05T09:00", duration: 7h, timeZone: Europe/Madrid';

function windows(...list: readonly string[]): Files {
  return dev(`windows:\n${list.map((one) => `  - { ${one} }\n`).join('')}`);
}

function gates(...list: readonly string[]): Files {
  return { ...WEB, ...dev(`${RUNS}\ngates:\n${list.map((one) => `  - { ${one} }\n`).join('')}`) };
}

type Row = readonly [title: string, rule: string, files: Files, expected: readonly string[]];
type NearMiss = readonly [title: string, rule: string, files: Files];

const VIOLATIONS: readonly Row[] = [
  [
    'V-56: a tenant that nobody declares',
    'V-56',
    { ...project('tenants: { acme: {} }'), ...dev('tenancy: { tenant: acne }') },
    ['error environment:11 dev belongs to tenant "acne", which the project does not declare (known: acme); did you mean "acme"?'],
  ],
  [
    'V-56: namespaces of somebody else',
    'V-56',
    {
      ...project('tenants: { acme: { namespacesPrefix: acme- } }'),
      ...dev('tenancy: { tenant: acme, namespace: shop }\ntargets: { a: { driver: directory, path: a, namespace: other } }'),
    },
    [
      'error environment:7 namespace "shop" of dev does not begin with "acme-", as all of tenant acme do',
      'error environment:8 namespace "other" of dev does not begin with "acme-", as all of tenant acme do',
    ],
  ],
  [
    'V-56: a dedicated target that another tenant uses',
    'V-56',
    {
      ...project('tenants: { acme: {}, other: {} }'),
      ...dev('tenancy: { tenant: acme, mode: dedicated }\ntargets: { a: { driver: directory, path: x/a } }'),
      'environments/prod/environment.yaml': environment(
        'prod',
        'tenancy: { tenant: other }\ntargets: { b: { driver: directory, path: x/./a/ } }',
      ),
    },
    ['error environment:8 target dev/a is dedicated to acme; prod belongs to other'],
  ],
  [
    'V-59: a preview without an end',
    'V-59',
    { ...WEB, ...dev('capsules: { web: { version: ^1.0.0, allowUnreleased: true } }') },
    ['error environment:5 preview dev must set expires'],
  ],
  [
    'V-59: a preview that reads what production reads',
    'V-59',
    {
      'environments/dev/environment.yaml': environment(
        'dev',
        'expires: 7d\nsecrets: { web: { key: { provider: external-secrets, store: vault, path: kv/web, key: other } } }',
      ).replace('  name: dev', '  name: dev\n  labels: { stage: preview }'),
      'environments/prod/environment.yaml': environment(
        'prod',
        'secrets: { web: { key: { provider: external-secrets, store: vault, path: kv/web, key: token } } }',
        'high',
      ),
    },
    ['error environment:13 preview dev reads a secret of prod (high): the same store and path'],
  ],
  [
    'V-91: a rule, a zone and a length that nobody can read, all at once',
    'V-91',
    windows('name: week, kind: allow, rrule: "FREQ=HOURLY", start: "2026-02-30T09:00", duration: 0s, timeZone: Europe/Madird'),
    [
      'error environment:12 window "week" of dev: rrule FREQ=HOURLY needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY',
      'error environment:12 window "week" of dev: start 2026-02-30T09:00 is no date and time',
      'error environment:12 window "week" of dev: duration 0s must be longer than nothing',
      'error environment:12 window "week" of dev: timeZone Europe/Madird is no time zone such as Europe/Madrid or UTC; did you mean "Europe/Madrid"?',
    ],
  ],
  [
    'V-91: an end before the start',
    'V-91',
    windows('name: freeze, kind: deny, start: "2026-12-18", end: "2026-12-17"'),
    ['error environment:12 window "freeze" of dev: end 2026-12-17 must come after start'],
  ],
  [
    'V-91: an allow window that is over',
    'V-91',
    windows('name: launch, kind: allow, start: "2026-10-01T09:00", duration: 7h'),
    ['error environment:11 windows of dev never open in the next 30 days (from 2026-11-06T10:00:00.000Z)'],
  ],
  [
    'V-91: an allow window that always lies in a deny window',
    'V-91',
    windows(`name: week, kind: allow, ${WEEK}`, 'name: days, kind: deny, rrule: FREQ=DAILY, start: "2026-01-01T06:00", duration: 14h'),
    ['error environment:11 windows of dev never open in the next 30 days (from 2026-11-06T10:00:00.000Z)'],
  ],
  [
    'V-91: a deny window without an end, and one that meets itself every day',
    'V-91',
    windows(
      'name: closed, kind: deny, start: "2026-01-01"',
      'name: days, kind: deny, rrule: FREQ=DAILY, start: "2026-01-01", duration: 1d',
    ),
    [
      'error environment:12 window "closed" denies everything forever; nothing would ever move into dev',
      'error environment:13 window "days" denies everything forever; nothing would ever move into dev',
    ],
  ],
  [
    'V-91: more windows than are read',
    'V-91',
    windows(...Array.from({ length: 33 }, (_, index) => `name: w${index}, kind: allow`)),
    ['error environment:11 dev has 33 windows; at most 32 are read'],
  ],
  [
    'V-92: two gates of one name, and one named like an approval',
    'V-92',
    {
      ...dev(
        'gates: [{ name: a, type: signature }, { name: a, type: health }, { name: approval-1, type: compat }]\napprovals: [{ required: 1 }]',
      ),
    },
    ['error environment:11 two gates of dev are named "a"', 'error environment:11 two gates of dev are named "approval-1"'],
  ],
  [
    'V-92: conditions that cannot be judged',
    'V-92',
    {
      ...dev(
        'gates:\n  - { name: a, type: eval, when: "change.rsk == \'low\'" }\n  - { name: b, type: eval, when: "capsule.name" }\napprovals:\n  - { required: 1, when: "size(chance) > 0" }',
      ),
    },
    [
      'error environment:12 gate "a" of dev: when: change has no rsk (known: id, risk, kind); did you mean "risk"?',
      'error environment:13 gate "b" of dev: when: it gives a string, and a bool is wanted',
      'error environment:15 approval-1 of dev: when: the expression names chance, which is not known here (known: change, capsule, environment); did you mean "change"?',
    ],
  ],
  [
    'V-92: gates that look at nothing',
    'V-92',
    gates(
      'name: ci, type: check',
      'name: own, type: check, checks: [build, capstan/promote]',
      'name: rule, type: policy',
      'name: ask, type: external',
      'name: plan, type: plan, driver: terraform',
      'name: budget, type: slo, slo: web-availability',
    ),
    [
      'error environment:13 gate "ci" of dev names no checks',
      'error environment:14 gate "own" of dev waits for capstan/promote, which waits for it',
      'error environment:15 gate "rule" of dev names no policy',
      'error environment:16 gate "ask" of dev has no address to ask',
      'error environment:17 gate "plan" of dev wants a plan of driver "terraform", which no target of dev has (known: directory)',
      'error environment:18 gate "budget" of dev looks at SLO "web-availability", which no capsule of dev has (known: none)',
    ],
  ],
  [
    'V-92: a rollback for what nobody measures',
    'V-92',
    web(
      'rollback: { triggers: [{ metric: succes, below: 0.9 }, { slo: availability, burnRateAbove: 14 }] }\nstrategy: { analysis: { success: { provider: p, query: q, onNoData: fail } } }',
    ),
    [
      'error capsule:8 rollback of web looks at metric "succes", which it does not declare (known: success); did you mean "success"?',
      'error capsule:8 rollback of web looks at slo "availability", which it does not declare (known: none)',
    ],
  ],
  [
    'V-92: automatic merging without any gate',
    'V-92',
    dev('promotion: { merge: auto }', 'medium'),
    ['error environment:11 dev merges automatically but has no gate'],
  ],
  [
    'V-93: weights that fall, and an analysis without a word on no data',
    'V-93',
    web(
      'components: { web: { kind: Deployment, image: a } }\nstrategy:\n  canary: { steps: [{ setWeight: 60 }, { pause: 5m }, { setWeight: 50 }] }\n  analysis: { errors: { provider: prometheus, query: up } }',
    ),
    [
      'error capsule:10 canary weights must increase: 50 after 60 (web)',
      'error capsule:11 analysis "errors" does not say what no data means: onNoData is pass, fail or inconclusive (web)',
    ],
  ],
  [
    'V-94: a canary on a driver that cannot shift traffic',
    'V-94',
    {
      ...web(
        'components: { web: { kind: Deployment, image: a, scaling: { replicas: 2 } } }\nstrategy: { type: canary, canary: { provider: istio } }',
      ),
      ...dev(`${RUNS}\ntargets: { a: { driver: directory, path: a }, b: { driver: kubernetes, credentials: b } }`),
    },
    ['error environment:8 driver directory cannot shift traffic; strategy canary of web on dev/a'],
  ],
  [
    'V-94: no provider, one replica and no route',
    'V-94',
    web('components: { web: { kind: Deployment, image: a } }\nstrategy: { type: canary }'),
    [
      'error capsule:9 strategy canary of web names no provider that shifts its traffic',
      'error capsule:9 strategy canary of web has neither two replicas nor a route that could be shared',
    ],
  ],
  [
    'V-96: times and retries without an end',
    'V-96',
    dev('sync: { interval: 5m, timeout: 1h, retryBudget: { attempts: 10 } }'),
    [
      'error environment:11 sync.timeout 1h of dev is not below 12 times its interval 5m',
      'error environment:11 retryBudget of dev has no limit: per is missing',
    ],
  ],
  [
    'V-96: pruning where data is kept',
    'V-96',
    {
      ...web('components: { db: { kind: StatefulSet, image: a, storage: { data: { type: persistent, size: 1Gi } } } }'),
      ...dev(`${RUNS}\nsync: { prune: true }`),
    },
    ['error environment:12 dev prunes, and web keeps data in db.data; it would go with its claim'],
  ],
  ['V-96: a freeze without an end', 'V-96', dev('freeze: { reason: INC-421 }'), ['error environment:11 the freeze of dev has no end']],
  [
    'V-96: a freeze that is over',
    'V-96',
    dev('freeze: { reason: INC-421, until: 2026-11-06 }'),
    ['warning environment:11 the freeze of dev ended at 2026-11-06T00:00:00.000Z (now 2026-11-06T10:00:00.000Z)'],
  ],
  [
    'V-96: drift that would compare nothing',
    'V-96',
    dev('sync: { drift: { ignore: [{ target: { kind: Deployment }, paths: [/spec, /spec/a~b] }, { target: {}, paths: [""] }] } }'),
    [
      'error environment:11 drift.ignore covers all of /spec of Deployment; nothing would be compared',
      'error environment:11 drift.ignore "/spec/a~b" is no JSON pointer: ~ is written ~0',
      'error environment:11 drift.ignore covers all of the object of every kind; nothing would be compared',
    ],
  ],
];

const NEAR_MISSES: readonly NearMiss[] = [
  [
    'V-56: a tenant within its prefix, and two environments of it on its dedicated target',
    'V-56',
    {
      ...project('tenants: { acme: { namespacesPrefix: acme- } }'),
      ...dev('tenancy: { tenant: acme, namespace: acme-dev, mode: dedicated }\ntargets: { a: { driver: directory, path: a } }'),
      'environments/prod/environment.yaml': environment(
        'prod',
        'tenancy: { tenant: acme, namespace: acme-prod }\ntargets: { b: { driver: directory, path: a } }',
      ),
    },
  ],
  [
    'V-59: a preview with an end and secrets of its own',
    'V-59',
    {
      ...WEB,
      ...dev(
        'expires: 7d\ncapsules: { web: { version: ^1.0.0, allowUnreleased: true } }\nsecrets: { web: { key: { provider: external-secrets, store: vault, path: kv/previews } } }',
      ),
      'environments/prod/environment.yaml': environment(
        'prod',
        'secrets: { web: { key: { provider: external-secrets, store: vault, path: kv/web } } }',
        'high',
      ),
    },
  ],
  [
    'V-91: weekdays and the turn of the year',
    'V-91',
    windows(`name: week, kind: allow, ${WEEK}`, 'name: year-end, kind: deny, start: "2026-10-18T00:00", end: "2027-01-04T00:00"'),
  ],
  ['V-91: an allow window without times is always open', 'V-91', windows('name: always, kind: allow')],
  [
    'V-91: a deny window of 23 hours each day',
    'V-91',
    windows('name: days, kind: deny, rrule: FREQ=DAILY, start: "2026-01-01", duration: 23h'),
  ],
  ['V-91: a launch on the thirtieth day', 'V-91', windows('name: launch, kind: allow, start: "2026-12-06T09:00Z", duration: 1h')],
  [
    'V-92: conditions over change, capsule and environment',
    'V-92',
    gates(
      "name: a, type: eval, when: \"capsule.type in ['agent', 'model'] || change.risk == 'high'\"",
      "name: b, type: drill, when: \"environment.labels['stage'] == 'production'\"",
      'name: plan, type: plan, driver: directory',
      'name: ci, type: check, checks: [build]',
    ),
  ],
  [
    'V-92: an objective of the profile, in another environment',
    'V-92',
    {
      ...web('slo: { profile: l3-default }'),
      ...dev(`${RUNS}\ngates: [{ name: budget, type: slo, environment: prod, slo: shop-latency }]`),
      'environments/prod/environment.yaml': environment('prod', 'capsules: { shop: { capsule: web, version: ^1.0.0 } }'),
    },
  ],
  [
    'V-92: a rollback for a metric and an objective of the profile',
    'V-92',
    web(
      'rollback: { triggers: [{ metric: p95, above: 100 }, { slo: availability }] }\nslo: { profile: l3-default }\nhealth: { metrics: { application: [{ name: p95, query: q }] } }',
    ),
  ],
  ['V-92: automatic merging after a soak', 'V-92', dev('promotion: { merge: auto, soak: 10m, from: { environments: [prod] } }', 'medium')],
  ['V-92: automatic merging without a gate where the risk is low', 'V-92', dev('promotion: { merge: auto }')],
  [
    'V-93: weights that end below 100, and an analysis that knows what no data means',
    'V-93',
    web(
      'components: { web: { kind: Deployment, image: a } }\nstrategy:\n  canary: { steps: [{ setWeight: 10 }, { setWeight: 50 }] }\n  analysis: { errors: { provider: prometheus, query: up, onNoData: inconclusive } }',
    ),
  ],
  [
    'V-94: a canary of one replica that can be routed, on a cluster; and elsewhere a strategy without traffic',
    'V-94',
    {
      ...web(
        'components: { web: { kind: Deployment, image: a, ports: { http: { port: 80, expose: internal } } } }\nstrategy: { type: canary, canary: { provider: gateway-api } }',
      ),
      ...dev(`${RUNS}\ntargets: { b: { driver: kubernetes, credentials: b } }`),
    },
  ],
  [
    'V-94: a rolling change on a directory',
    'V-94',
    { ...web('components: { web: { kind: Deployment, image: a } }\nstrategy: { type: rolling }'), ...dev(RUNS) },
  ],
  ['V-96: a timeout just below', 'V-96', dev('sync: { interval: 5m, timeout: 59m, retryBudget: { attempts: 10, per: 1h } }')],
  [
    'V-96: pruning with a confirmation where data is kept',
    'V-96',
    {
      ...web('components: { db: { kind: StatefulSet, image: a, storage: { data: { type: persistent, size: 1Gi } } } }'),
      ...dev(`${RUNS}\nsync: { prune: confirm }`),
    },
  ],
  [
    'V-96: pruning where only caches are',
    'V-96',
    {
      ...web('components: { db: { kind: Deployment, image: a, storage: { data: { type: ephemeral, size: 1Gi } } } }'),
      ...dev(`${RUNS}\nsync: { prune: true }`),
    },
  ],
  ['V-96: a freeze with a reason and an end', 'V-96', dev('freeze: { reason: INC-421, until: 2026-11-07 }')],
  [
    'V-96: drift of one field',
    'V-96',
    dev('sync: { drift: { ignore: [{ target: { kind: Deployment }, paths: [/spec/replicas, /metadata/annotations/a~1b] }] } }'),
  ],
];

describe('found', () => {
  test.each(VIOLATIONS)('%s', (_, rule, files, expected) => {
    expect(found(rule, files)).toEqual(expected);
  });
});

describe('near misses', () => {
  test.each(NEAR_MISSES)('%s', (_, rule, files) => {
    expect(found(rule, files)).toEqual([]);
  });
});

test('without an instant nothing is said about today', () => {
  const files = { ...windows('name: launch, kind: allow, start: "2026-10-01T09:00", duration: 7h') };
  expect(found('V-91', files, { now: undefined })).toEqual([]);
  expect(found('V-91', files, { now: NOW })).toHaveLength(1);
});

test('windows that nobody would write are judged in no time', () => {
  const rrule = `FREQ=DAILY;BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour).join(',')}`;
  const zones = ['Europe/Madrid', 'America/Lima', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
  const list = Array.from(
    { length: 32 },
    (_, index) => `name: w${index}, kind: deny, rrule: "${rrule}", start: "0001-01-01", duration: 59m, timeZone: ${zones[index % 4] ?? ''}`,
  );
  const started = process.cpuUsage();
  expect(found('V-91', windows(...list))).toEqual([]);
  expect(process.cpuUsage(started).user).toBeLessThan(1_500_000);
});
