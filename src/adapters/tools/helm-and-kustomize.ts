import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import type { ForeignAnswer, ForeignRequest } from '#model/foreign.ts';
import { visibleText } from '#model/quoted.ts';
import type { ForeignRenderer } from '#ports/foreign-renderer.ts';
import type { RunLimits } from './limited-run.ts';
import { runLimited } from './limited-run.ts';
import { programs } from './programs.ts';
import type { ToolPlaces } from './programs.ts';
import { bareEnvironment, inScratch, writeBelow } from './scratch.ts';
import { schemaArguments } from './values-schemas.ts';

const LIMITS: RunLimits = { milliseconds: 30_000, outputBytes: 4 * 1024 * 1024, memoryMegabytes: 1024 };

/** The real helm and kustomize. As many at once as the machine has cores. */
export function helmAndKustomize(places: ToolPlaces, limits: Partial<RunLimits>): ForeignRenderer {
  const known = programs(places);
  const free = slots(availableParallelism());
  let runs = 0;

  async function render(request: ForeignRequest, signal?: AbortSignal): Promise<ForeignAnswer> {
    const program = await known.find(request.tool, request.version);
    if (program.kind === 'missing') return program;
    return free(() =>
      inScratch(async (folder) => {
        await writeBelow(join(folder, 'source'), request.files);
        const args = await argumentsFor(folder, request);
        if (args === undefined) return { kind: 'failed', message: FOLLOWS };
        runs += 1;
        const run = { program: program.path, args, folder: join(folder, 'source'), env: bareEnvironment(folder) };
        const end = await runLimited(run, { ...LIMITS, ...limits }, signal);
        if (end.kind === 'limit') return end;
        if (end.exit === 0) return { kind: 'rendered', text: end.stdout.toString('utf8') };
        return { kind: 'failed', message: complaintOf(end.stderr, folder) };
      }),
    );
  }

  return { render, counts: () => ({ runs }) };
}

const FOLLOWS =
  'before 3.16 helm cannot be kept from following references of a values.schema.json out of the chart; use a newer one, or a chart folder whose schemas refer to themselves only';

/** Names begin with a letter or digit and paths with `./`: none can be taken for an option. Undefined where that helm could not be kept in. */
async function argumentsFor(folder: string, request: ForeignRequest): Promise<readonly string[] | undefined> {
  const path = `./${request.path}`;
  switch (request.tool) {
    case 'kustomize':
      return ['build', path, '--load-restrictor', 'LoadRestrictionsRootOnly'];
    case 'helm': {
      const schemas = schemaArguments(request);
      if (schemas === 'refused') return undefined;
      await writeBelow(folder, new Map([['values.json', Buffer.from(JSON.stringify(request.values))]]));
      return [
        'template',
        request.name,
        path,
        `--namespace=${request.namespace}`,
        `--values=${join(folder, 'values.json')}`,
        `--kube-version=${request.kubernetes}`,
        ...request.apiVersions.map((version) => `--api-versions=${version}`),
        '--include-crds',
        '--skip-tests',
        ...schemas,
      ];
    }
  }
}

/** The last lines, where the reason stands, without the paths of this machine. */
function complaintOf(stderr: string, folder: string): string {
  const lines = stderr
    .replaceAll(`${folder}/`, '')
    .replaceAll(folder, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('WARNING') && !line.startsWith('Use --debug'));
  return visibleText(lines.slice(-5).join(' ') || 'it gave no reason', 500);
}

/** At most `count` of them at once, in the order they came. */
function slots(count: number): <T>(use: () => Promise<T>) => Promise<T> {
  let busy = 0;
  const waiting: (() => void)[] = [];
  return async (use) => {
    if (busy >= count) await new Promise<void>((go) => waiting.push(go));
    else busy += 1;
    try {
      return await use();
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
}
