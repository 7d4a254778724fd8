import { once, EventEmitter } from 'node:events';
import { request as httpsRequest } from 'node:https';

import { onTestFinished } from 'vitest';

import { systemChance, systemClock, systemTimers } from '#adapters/machine/machine.ts';
import { createWorld } from '#loops/create-world.ts';
import { reconcile } from '#loops/reconcile.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { DriftedObject } from '#model/plan.ts';
import type { Trigger } from '#model/receipt.ts';
import { wakeWhenMoved } from '#service/moved.ts';
import { WorkQueue } from '#service/queue.ts';
import { nextTurn, USUAL_POLICY } from '#service/schedule.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf } from '#test/stories/outside.ts';
import type { Outside, People } from '#test/stories/outside.ts';
import { PROJECT_FILE, type Files } from '#test/stories/shop.ts';
import { freshLocks } from '#test/stories/stories.ts';
import { emptyNamespace, openTargets } from './cluster-bench.ts';

const WITHIN_MS = 60_000;
const PROJECT = PROJECT_FILE.replace('      for:\n        - engine\n', '      for:\n        - engine\n        - commit\n');

/** An environment `dev` on a real cluster that is reconciled as the service does it: whenever the cluster says that something moved. */
export interface DriftService {
  readonly outside: Outside;
  readonly people: People;
  /** Every run so far. */
  readonly runs: readonly { readonly at: number; readonly result: ReconcileResult }[];
  /** As on a push, a merge, or a pull request that was closed. */
  wake(trigger?: Trigger): void;
  /** The first run from now on, or the last one, that is as wanted. */
  until(wanted: (result: ReconcileResult) => boolean): Promise<ReconcileResult>;
  push(files: Files): Promise<void>;
}

export interface DriftEnvironment {
  readonly namespace: string;
  /** Lines below `drift:`. */
  readonly drift: string;
  readonly templates: Files;
}

export async function startDriftService(kubernetes: RunningKubernetes, what: DriftEnvironment): Promise<DriftService> {
  await emptyNamespace(kubernetes, what.namespace);
  const outside = newOutside();
  const people = peopleOf(outside);
  const targets = openTargets(kubernetes);
  const world = createWorld({ ...portsOf(outside), targets, clock: systemClock });
  const runs: { at: number; result: ReconcileResult }[] = [];
  const ended = new EventEmitter();
  let thrown = '';
  const queue = new WorkQueue({
    clock: systemClock,
    timers: systemTimers,
    concurrency: 1,
    ended(_key, outcome) {
      if (outcome.kind === 'threw') thrown = outcome.message;
    },
    decide: (_key, outcome, past) => nextTurn(outcome, past, systemClock.now(), { policy: USUAL_POLICY, chance: systemChance }),
  });
  const wake = (trigger: Trigger = 'webhook'): void =>
    void queue.submit({
      key: 'reconcile/dev',
      priority: 1,
      inputs: 'changed',
      async run(signal) {
        await world.repository.fetch(signal);
        const result = await reconcile(world, { environment: 'dev', target: undefined, trigger, dryRun: false }, signal);
        runs.push({ at: performance.now(), result });
        ended.emit('run');
        return result.ending;
      },
    });
  const moved = wakeWhenMoved({
    watch: (tell) => targets.watch(tell),
    clock: systemClock,
    timers: systemTimers,
    wake: (environment) => environment === toEnvironmentName('dev') && wake('drift'),
  });
  onTestFinished(async () => {
    moved.stop();
    await queue.drain(5_000, 1_000);
  });

  async function push(files: Files): Promise<void> {
    await people.push(files);
    await people.push(await freshLocks(outside), { message: 'Lock versions' });
    outside.forge.protections.set('main', { protected: true, requiredChecks: [], requiredApprovals: 0 });
  }
  await push({
    'environments/project.yaml': PROJECT,
    'environments/dev/environment.yaml': environmentFile(what),
    ...capsule(what.templates),
  });
  return {
    outside,
    people,
    runs,
    wake,
    push,
    async until(wanted) {
      const signal = AbortSignal.timeout(WITHIN_MS);
      for (;;) {
        const last = runs.at(-1)?.result;
        if (last !== undefined && wanted(last)) return last;
        await once(ended, 'run', { signal }).catch((error: unknown) => {
          throw new Error(`no run is as wanted; the last one ended ${JSON.stringify(last?.ending)} ${thrown}`, { cause: error });
        });
      }
    },
  };
}

export function driftIn(result: ReconcileResult): readonly string[] {
  return result.runs.flatMap((run) => run.drift.map(driftText));
}

function driftText({ key, action, changedBy }: DriftedObject): string {
  return `${action} ${key.kind} ${key.name} by ${changedBy.join(', ')}`;
}

function environmentFile({ namespace, drift }: DriftEnvironment): string {
  const lines = drift.split('\n').map((line) => `      ${line}\n`);
  return `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: dev
spec:
  risk: low
  targets:
    here:
      driver: kubernetes
      credentials: here
      namespace: ${namespace}
  capsules:
    app:
      version: '>=1.0.0'
  promotion:
    from:
      environments: []
    merge: auto
  gates:
    - name: signed
      type: signature
  sync:
    drift:
${lines.join('')}`;
}

/** What its templates know as `config.text`. */
export function configured(text: string): Files {
  return { 'environments/dev/config/app.yaml': `text: ${text}\n` };
}

function capsule(templates: Files): Files {
  return {
    'capsules/app/capsule.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: app
  version: 1.0.0
  title: App
  description: Has objects that others change.
spec:
  type: service
  config:
    schema: config.schema.json
`,
    'capsules/app/config.schema.json': `{
  "type": "object",
  "additionalProperties": false,
  "properties": { "text": { "type": "string", "default": "git" } }
}
`,
    ...Object.fromEntries(Object.entries(templates).map(([name, text]) => [`capsules/app/templates/${name}`, text])),
  };
}

/** Changes one object as another client does, under a field manager of its own; answers when the server has. */
export async function patchAs(kubernetes: RunningKubernetes, manager: string, path: string, patch: object): Promise<void> {
  const url = `${kubernetes.url}${path}?fieldManager=${manager}`;
  const body = JSON.stringify(patch);
  const headers = { authorization: `Bearer ${kubernetes.token}`, 'content-type': 'application/merge-patch+json' };
  await new Promise<void>((done, fail) => {
    const sent = httpsRequest(url, { method: 'PATCH', headers, ca: kubernetes.certificateAuthority }, (answer) => {
      answer.resume();
      answer.once('end', () => (answer.statusCode === 200 ? done() : fail(new Error(`the server answered ${String(answer.statusCode)}`))));
    });
    sent.once('error', fail);
    sent.end(body);
  });
}
