import type { EnvironmentDraft, InstanceDraft } from './drafts.ts';
import { targetsOf } from './targets.ts';

/** Words that people give the steps on the way to production, in order. */
const STAGES: readonly (readonly string[])[] = [
  ['dev', 'develop', 'development'],
  ['test', 'testing', 'qa', 'int', 'integration'],
  ['staging', 'stage', 'stg', 'uat', 'preprod', 'pre-prod', 'preproduction'],
  ['prod', 'production', 'prd', 'live'],
];

function stageOf(name: string): number | undefined {
  const stage = STAGES.findIndex((words) =>
    words.some((word) => name === word || name.endsWith(`-${word}`) || name.startsWith(`${word}-`)),
  );
  return stage < 0 ? undefined : stage;
}

/** The word for a stage that a name ends or begins with: `web-prod` -> `prod`. */
export function environmentSuffix(name: string): string | undefined {
  const words = STAGES.flat().sort((a, b) => b.length - a.length);
  return words.find((word) => name === word || name.endsWith(`-${word}`) || name.startsWith(`${word}-`));
}

/** One instance as an environment is to run it. */
export interface Run {
  readonly environment: string;
  readonly instance: string;
  readonly namespace: string;
  readonly draft: InstanceDraft;
}

export interface EnvironmentWords {
  comment(environment: string): readonly string[];
  /** Fields of `sync` beside the interval. */
  sync(environment: string): EnvironmentDraft['sync'];
}

/** An environment for each name; where names say an order, versions move along it, else each takes releases by itself. */
export function environmentsOf(runs: readonly Run[], words: EnvironmentWords): readonly EnvironmentDraft[] {
  const names = [...new Set(runs.map((run) => run.environment))].sort();
  return names.map((name) => {
    const own = runs.filter((run) => run.environment === name);
    const places = targetsOf(
      name,
      own.map((run) => run.namespace),
    );
    const from = upstreamOf(name, names, runs);
    const instances = new Map(
      own.map((run) => {
        const selector = places.selectorOf(run.namespace);
        const request = {
          version: '^1.0.0',
          ...(selector === undefined ? {} : { targets: selector }),
          ...(from.length === 0 ? { updatePolicy: 'latest' } : {}),
          ...run.draft.request,
        };
        return [run.instance, { ...run.draft, request }] as const;
      }),
    );
    const comment = [...words.comment(name), 'Raise `risk` when its images are named by digest: from medium on that is a rule.'];
    return { name, comment, targets: places.targets, instances, from, sync: { interval: '1m', ...words.sync(name) }, secrets: {} };
  });
}

/** The environments of the nearest stage before, if all that is run here is run there, too. */
function upstreamOf(name: string, names: readonly string[], runs: readonly Run[]): readonly string[] {
  const stage = stageOf(name);
  if (stage === undefined) return [];
  const capsules = (environment: string): ReadonlyMap<string, string> =>
    new Map(runs.filter((run) => run.environment === environment).map((run) => [run.instance, run.draft.capsule]));
  const wanted = capsules(name);
  for (let before = stage - 1; before >= 0; before -= 1) {
    const found = names.filter((other) => {
      const there = capsules(other);
      return stageOf(other) === before && [...wanted].every(([instance, capsule]) => there.get(instance) === capsule);
    });
    if (found.length > 0) return found;
  }
  return [];
}
