import { afterEach, describe, expect, test } from 'vitest';

import { githubEvents, webhookVerifier } from '#adapters/github/github.ts';
import { randomIds } from '#adapters/machine/machine.ts';
import { toInstant } from '#model/instant.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import type { Ending, Trigger } from '#model/receipt.ts';
import { toSecret } from '#model/secret.ts';
import type { Inbox } from '#ports/inbox.ts';
import { PortError } from '#ports/port-error.ts';
import { startService, type Service, type ServiceParts } from '#service/service.ts';
import { USUAL_SETTINGS } from '#service/settings.ts';
import type { Run, ServiceWork } from '#service/work.ts';
import { memoryInbox } from '#test/contracts/memory-inbox.ts';
import { memoryTargets } from '#test/contracts/memory-target.ts';
import { delivery, SECRET, silent } from '#test/service/running-intake.ts';
import { settableTime, type SettableTime } from '#test/service/settable-time.ts';

const SETTLED: Run = { ending: { kind: 'settled' }, wakes: [] };
const dev = toEnvironmentName('dev');
const prod = toEnvironmentName('prod');
const SHA = 'b'.repeat(40);

interface World {
  readonly service: Service;
  readonly time: SettableTime;
  readonly inbox: Inbox;
  /** `reconcile dev webhook`, in the order in which runs began. */
  readonly ran: string[];
  readonly asked: string[];
  /** What runs answer, by `loop environment`; settled otherwise. */
  readonly answers: Map<string, () => Promise<Run> | Run>;
  readonly post: (event: string, payload: object, id?: string) => Promise<number>;
  readonly get: (path: string) => Promise<{ status: number; text: string }>;
}

let world: World | undefined;
afterEach(async () => {
  const stopping = world?.service.stop(1000);
  await world?.time.advance(5000);
  await stopping;
});

async function start(over: Partial<ServiceParts> = {}, answers: [string, () => Promise<Run> | Run][] = []): Promise<World> {
  const time = settableTime();
  const inbox = over.inbox ?? memoryInbox();
  const ran: string[] = [];
  const asked: string[] = [];
  const table = new Map<string, () => Promise<Run> | Run>(answers);
  const run = async (name: string, trigger: Trigger): Promise<Run> => {
    ran.push(`${name} ${trigger}`);
    return (await table.get(name)?.()) ?? SETTLED;
  };
  const work: ServiceWork = {
    look: async (trigger) => ({
      ...(await run('look', trigger)),
      environments: [
        { environment: dev, driftEvery: 30_000 },
        { environment: prod, driftEvery: undefined },
      ],
    }),
    reconcile: (environment, trigger) => run(`reconcile ${environment}`, trigger),
    promote: (environment, trigger) => run(`promote ${environment}`, trigger),
    check: (number, trigger) => run(`check ${number}`, trigger),
  };
  const service = await startService({
    settings: { ...USUAL_SETTINGS, listen: { host: '127.0.0.1', port: 0 }, webhookUrl: 'http://here/webhooks/github', jitter: 0 },
    work,
    inbox,
    verifier: webhookVerifier({ current: toSecret(SECRET), previous: [] }),
    reader: githubEvents(),
    forge: {
      async redeliverFailed(url, since) {
        asked.push(`${url} since ${since - time.now()}`);
        return 2;
      },
    },
    clock: time.clock,
    timers: time.timers,
    chance: () => 0,
    ids: randomIds(time.clock),
    journal: silent,
    version: '1.2.3',
    ...over,
  });
  world = {
    service,
    time,
    inbox,
    ran,
    asked,
    answers: table,
    async post(event, payload, id) {
      const body = JSON.stringify(payload);
      const headers = { ...delivery(body), 'x-github-event': event, ...(id === undefined ? {} : { 'x-github-delivery': id }) };
      const answer = await fetch(`${service.url}/webhooks/github`, { method: 'POST', body, headers });
      await answer.text();
      await service.settled();
      return answer.status;
    },
    async get(path) {
      const answer = await fetch(`${service.url}${path}`);
      return { status: answer.status, text: await answer.text() };
    },
  };
  await service.settled();
  return world;
}

const PUSH = { ref: 'refs/heads/main', after: SHA };
const AT_START = ['look start', 'reconcile dev start', 'reconcile prod start', 'promote dev start', 'promote prod start'];

describe('start', () => {
  test('looks at everything once and is ready after it', async () => {
    const { ran, get } = await start();

    expect(ran).toEqual(AT_START);
    expect((await get('/readyz')).status).toBe(200);
  });

  test('is alive but not ready while the first look fails, and tries again by itself', async () => {
    let isAway = true;
    const away: Ending = { kind: 'retry', because: 'git is away' };
    const { ran, get, time, service } = await start({}, [['look', () => (isAway ? { ending: away, wakes: [] } : SETTLED)]]);

    expect([(await get('/livez')).status, (await get('/readyz')).status, ran]).toEqual([200, 503, ['look start']]);
    isAway = false;
    await time.advance(1000);
    await service.settled();

    expect(ran).toEqual(['look start', ...AT_START]);
    expect((await get('/readyz')).status).toBe(200);
  });

  test('is ready although one environment cannot be reconciled', async () => {
    const { ran, get } = await start({}, [['reconcile dev', () => Promise.reject(new Error('impossible'))]]);

    expect(ran).toEqual(AT_START);
    expect((await get('/readyz')).status).toBe(200);
    const { text } = await get('/metrics');
    expect(text).toContain('capstan_parked_units 1');
    expect(text).toContain('capstan_runs_total{loop="reconcile",ending="threw"} 1');
  });

  test('works off what was accepted before a crash', async () => {
    const inbox = memoryInbox();
    const body = Buffer.from(JSON.stringify({ action: 'opened', number: 7, pull_request: { head: { ref: 'feature' } } }));
    await inbox.accept({ id: 'before', event: 'pull_request', body, receivedAt: toInstant(0) });

    const { ran } = await start({ inbox });

    expect(ran).toContain('check 7 webhook');
    expect(await inbox.pending(10)).toEqual([]);
  });
});

describe('deliveries', () => {
  test('a push wakes a look, and the look wakes what changed', async () => {
    const { post, ran, answers, inbox } = await start();
    answers.set('look', () => ({ ending: { kind: 'settled' }, wakes: [{ kind: 'reconcile', environment: dev }] }));
    answers.set('reconcile dev', () => ({ ending: { kind: 'settled' }, wakes: [{ kind: 'promote', environment: prod }] }));
    ran.length = 0;

    expect(await post('push', PUSH)).toBe(202);

    expect(ran).toEqual(['look webhook', 'reconcile dev webhook', 'promote prod webhook']);
    expect(await inbox.pending(10)).toEqual([]);
  });

  test('row 6: the same delivery twice has one effect', async () => {
    const { post, ran } = await start();
    ran.length = 0;

    const answers = [await post('push', PUSH, 'one'), await post('push', PUSH, 'one')];

    expect([answers, ran]).toEqual([[202, 202], ['look webhook']]);
  });

  test("row 7: another event's body does nothing and is done", async () => {
    const { post, ran, inbox } = await start();
    ran.length = 0;

    expect(await post('pull_request', PUSH)).toBe(202);

    expect([ran, await inbox.pending(10)]).toEqual([[], []]);
  });

  test.each([
    ['deep nesting', `{"ref":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['keys of prototypes', '{"__proto__":{"ref":"refs/heads/main"},"constructor":{"prototype":{"after":1}}}'],
    ['what is no JSON inside', '{"ref":NaN}'],
    ['lone surrogates', '{"ref":"\\ud800","after":"\\udfff"}'],
  ])('row 8: a signed body with %s is taken, wakes nobody, and the next push is worked on', async (_name, body) => {
    const { service, ran, inbox, post } = await start();
    ran.length = 0;

    const answer = await fetch(`${service.url}/webhooks/github`, {
      method: 'POST',
      body,
      headers: { ...delivery(body), 'x-github-event': 'push', 'x-github-delivery': 'odd' },
    });
    await service.settled();
    const next = await post('push', PUSH);

    expect([answer.status, next, ran, await inbox.pending(10)]).toEqual([202, 202, ['look webhook'], []]);
  });

  test('row 9: a delivery about another repository is a hint like any other', async () => {
    const { post, ran } = await start();
    ran.length = 0;

    expect(await post('push', { ...PUSH, repository: { id: 1, full_name: 'mallory/platform' } })).toBe(202);

    expect(ran).toEqual(['look webhook']);
  });

  test('row 11: ten thousand deliveries while a look runs become one more look', async () => {
    const { post, get, ran, answers, inbox, service } = await start();
    let end: (run: Run) => void = () => {};
    answers.set('look', () => new Promise<Run>((resolve) => (end = resolve)));
    ran.length = 0;
    const first = post('push', PUSH);
    for (let n = 0; n < 10_000; n++) {
      await inbox.accept({ id: `flood-${n}`, event: 'push', body: Buffer.from(JSON.stringify(PUSH)), receivedAt: toInstant(0) });
    }
    const last = post('push', { ...PUSH, after: 'c'.repeat(40) });
    while (!(await get('/metrics')).text.includes('capstan_wake_ups_total{kind="push"} 10002'));

    answers.delete('look');
    end(SETTLED);
    await Promise.all([first, last]);
    await service.settled();

    expect(ran).toEqual(['look webhook', 'look webhook']);
  });

  test('row 13: an older push after a newer one is one more look, whatever commit it names', async () => {
    const { post, ran } = await start();
    ran.length = 0;

    await post('push', { ...PUSH, after: 'c'.repeat(40) });
    await post('push', { ...PUSH, after: SHA });

    expect(ran).toEqual(['look webhook', 'look webhook']);
  });

  test('a check that must be tried again keeps its delivery until it ended', async () => {
    const away: Run = { ending: { kind: 'retry', because: 'the forge is away' }, wakes: [] };
    const { post, answers, inbox, time, service } = await start({}, [['check 7', () => away]]);

    await post('pull_request', { action: 'opened', number: 7, pull_request: { head: { ref: 'feature' } } }, 'held');
    expect((await inbox.pending(10)).map((one) => one.id)).toEqual(['held']);
    answers.delete('check 7');
    await time.advance(1000);
    await service.settled();

    expect(await inbox.pending(10)).toEqual([]);
  });
});

describe('time', () => {
  test('polls, and asks the promotions that wait', async () => {
    const review: Run = { ending: { kind: 'waiting', reasons: ['review'], until: undefined }, wakes: [] };
    const { ran, time, service } = await start({}, [['promote prod', () => review]]);
    ran.length = 0;

    await time.advance(60_000);
    await service.settled();

    expect(ran.filter((one) => one.endsWith('poll'))).toEqual(['look poll', 'promote prod poll']);
  });

  test('checks drift at the interval of each environment', async () => {
    const { ran, time, service } = await start();
    ran.length = 0;

    await time.advance(310_000);
    await service.settled();

    const drifts = ran.filter((one) => one.endsWith('drift'));
    expect(drifts.filter((one) => one.includes('dev')).length).toBeGreaterThanOrEqual(9);
    expect(drifts.filter((one) => one.includes('prod'))).toHaveLength(1);
  });

  test('runs a promotion again when its soak is over', async () => {
    const time = settableTime();
    const until = toInstant(time.now() + 20_000);
    const soaking: Run = { ending: { kind: 'waiting', reasons: ['soak'], until }, wakes: [] };
    const world = await start({}, [['promote prod', () => soaking]]);
    world.answers.delete('promote prod');

    await world.time.advance(20_000);
    await world.service.settled();

    expect(world.ran).toContain('promote prod soak');
  });

  test('row 12: asks for failed deliveries of three days at the start, and every few minutes for what came since', async () => {
    const { asked, time, service } = await start();
    await time.advance(180_000);
    await service.settled();

    expect(asked).toEqual(['http://here/webhooks/github since -259200000', 'http://here/webhooks/github since -780000']);
  });

  test('row 12: a forge that refuses the list of deliveries parks nothing', async () => {
    const forge = { redeliverFailed: () => Promise.reject(new PortError('denied', 'no right to read hooks')) };
    const { get } = await start({ forge });

    expect((await get('/metrics')).text).toContain('capstan_parked_units 0');
  });
});

describe('stop', () => {
  test('waits for what runs, closes the inbox, and answers nobody any more', async () => {
    const { service, inbox, time } = await start();

    const stopping = service.stop(1000);
    await time.advance(1);
    await stopping;

    await expect(fetch(`${service.url}/livez`)).rejects.toThrow(/fetch failed/);
    await expect(inbox.accept({ id: 'x', event: 'push', body: new Uint8Array(1), receivedAt: toInstant(0) })).rejects.toMatchObject({
      kind: 'transient',
    });
  });
});

describe('a target that moved', () => {
  test('wakes its environment with the trigger drift, also while it waits; one that is not declared wakes nobody', async () => {
    const targets = memoryTargets();
    const waits: Run = { ending: { kind: 'waiting', reasons: ['web starts'], until: undefined }, wakes: [] };
    const { ran, time, service } = await start({ watch: (moved) => targets.watch?.(moved) }, [['reconcile prod', () => waits]]);

    for (const environment of [prod, prod, toEnvironmentName('gone')]) targets.tell(environment, toTargetName('one'));
    await time.advance(60);
    await service.settled();

    expect(ran).toEqual([...AT_START, 'reconcile prod drift']);
  });

  test('tells the metrics what was found there', async () => {
    const seen: Run = {
      ...SETTLED,
      targets: [
        {
          environment: dev,
          target: toTargetName('one'),
          health: 'degraded',
          drift: [
            {
              key: { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'web' },
              path: 'web/x.yaml',
              found: undefined,
              changedBy: [],
              action: 'reported',
            },
          ],
        },
      ],
    };
    const { get, time, service } = await start({}, [['reconcile dev', () => seen]]);
    await time.advance(31_000);
    await service.settled();

    const { text } = await get('/metrics');
    expect(text).toContain('capstan_drift_total{environment="dev",target="one",action="reported"} 1');
    expect(text).toContain('capstan_target_health{environment="dev",target="one",state="degraded"} 1');
    expect(text).toContain('capstan_target_health{environment="dev",target="one",state="healthy"} 0');
  });
});
