import type { Engine } from './engine.ts';
import { peopleOf, targetOf, type Outside } from './outside.ts';
import { DEV, environmentFile, PROJECT_FILE, type Stage } from './shop.ts';
import { declareShop } from './stories.ts';
import type { Step, Story } from './stories.ts';

const FILE = 'environments/dev/environment.yaml';
export const DEPLOYMENT = 'web/apps_v1_deployment_shop-dev_web.yaml';

/** dev with what its `sync` says of drift. */
export function devWith(drift: string, stage: Stage = DEV): string {
  return `${environmentFile({ ...stage, name: 'dev' })}  sync:\n    drift:\n${drift
    .split('\n')
    .map((line) => `      ${line}\n`)
    .join('')}`;
}

/** The engine's key is trusted for commits, too: what it proposes counts when a forge merges it. */
const PROJECT = PROJECT_FILE.replace('      for:\n        - engine\n', '      for:\n        - engine\n        - commit\n');

export async function beginDrift(outside: Outside, drift: string, project = PROJECT): Promise<void> {
  await declareShop(outside, [{ ...DEV, name: 'dev' }]);
  await peopleOf(outside).push({ [FILE]: devWith(drift), 'environments/project.yaml': project }, { message: 'Say what becomes of drift' });
}

/** What a person does on a target with an editor. */
export function editOn(outside: Outside, targets: readonly string[], from: string, to: string): void {
  for (const name of targets) {
    const { files } = targetOf(outside, `dev/${name}`);
    const text = files.get(DEPLOYMENT);
    if (text?.includes(from) !== true) throw new Error(`"${from}" is not on ${name}`);
    files.set(DEPLOYMENT, text.replace(from, to));
  }
}

export function replicasOn(outside: Outside): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ['one', 'two'].map((name) => [name, /replicas: (\d+)/.exec(targetOf(outside, `dev/${name}`).files.get(DEPLOYMENT) ?? '')?.[1] ?? '-']),
  );
}

const starts: Step = { title: 'the engine starts', happen: async () => undefined, wake: (engine) => engine.start() };
const drift = (engine: Engine): Promise<void> => engine.drift();

/** It finds the request that a run opened, and checks it. */
const polls: Step = { title: 'a poll', happen: async () => undefined, wake: (engine) => engine.wake({ kind: 'look' }) };

function edits(title: string, from: string, to: string): Step {
  return {
    title,
    happen: async (outside) => editOn(outside, ['one', 'two'], from, to),
    wake: drift,
  };
}

export async function openRequest(outside: Outside) {
  const requests = await peopleOf(outside).forge('ada').list('drift/', undefined);
  return requests.find((one) => one.state === 'open');
}

/** A person adopts a drift, and takes the next one back by closing its request. */
export const DRIFT: Story = {
  name: 'drift',
  begin: (outside) => beginDrift(outside, 'onDetect: pullRequest'),
  steps: [
    starts,
    edits('somebody scales web on both targets', 'replicas: 1', 'replicas: 3'),
    polls,
    {
      title: 'ada merges',
      async happen(outside) {
        const request = await openRequest(outside);
        if (request === undefined) return;
        await peopleOf(outside).forge('ada').merge(request.number, { head: request.headCommit, title: request.title, message: 'adopted' });
      },
      wake: (engine) => engine.wake({ kind: 'look' }),
    },
    edits('somebody scales it again', 'replicas: 3', 'replicas: 4'),
    polls,
    {
      title: 'ada closes it',
      async happen(outside) {
        const request = await openRequest(outside);
        if (request !== undefined) await peopleOf(outside).forge('ada').edit(request.number, { state: 'closed' });
      },
      wake: drift,
    },
    { title: 'a quiet look', happen: async () => undefined, wake: drift },
  ],
};
