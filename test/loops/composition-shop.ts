import { promote } from '#loops/promote.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, environmentFile, type Files, type Stage } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

/** A capsule of the shop with more in its spec. */
export function capsuleWith(version: string, spec: string, name = 'web'): Files {
  const path = `capsules/${name}/capsule.yaml`;
  return { [path]: `${capsuleFiles(version, name)[path] ?? ''}${spec}` };
}

/** The environment that asks for more beside `web`; `spec` stands at its end. */
export function asking(stage: Stage, capsules: string, spec = ''): Files {
  const text = environmentFile(stage).replace('    web:\n', `${capsules}    web:\n`);
  return { [`environments/${stage.name}/environment.yaml`]: `${text}${spec}` };
}

export interface Running {
  readonly outside: Outside;
  readonly engine: Engine;
  /** A commit on main that the engine is told of. */
  push(files: Files, message?: string): Promise<void>;
}

/** The shop as it runs once `files` were pushed to it. */
export async function runningShop(stages: readonly Stage[], files: Files = {}): Promise<Running> {
  const outside = newOutside();
  await declareShop(outside, stages);
  if (Object.keys(files).length > 0) await peopleOf(outside).push(files, { message: 'first' });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return {
    outside,
    engine,
    async push(more, message = 'change') {
      await peopleOf(outside).push(more, { message });
      await engine.wake({ kind: 'look' });
    },
  };
}

export function requestsIn(outside: Outside): readonly string[] {
  return [...outside.forge.pulls.values()].map(({ request }) => `${request.state} ${request.title}`);
}

/** What a dry run of a promotion says it holds back, and why it could do nothing. */
export async function heldIn({ engine }: Running, environment: string): Promise<readonly string[]> {
  const { held, problems } = await promote(engine.world, { environment, only: undefined, dryRun: true, byPerson: false });
  return [
    ...held.map(({ instance, version, reason }) => `${instance} ${version ?? '-'}: ${reason}`),
    ...problems.map(({ message }) => message),
  ];
}

/** The text of a file of a target whose path contains `part`. */
export function fileOf(outside: Outside, target: string, part: string): string {
  const files = outside.targets.get(target)?.files ?? new Map<string, string>();
  const path = [...files.keys()].find((one) => one.includes(part));
  if (path === undefined) throw new Error(`${target} has no ${part}; it has ${[...files.keys()].join(', ')}`);
  return files.get(path) ?? '';
}
