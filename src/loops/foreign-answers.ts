import { sha256Of } from '#model/digest.ts';
import type { ForeignAnswer, ForeignRequest } from '#model/foreign.ts';
import { canonicalJson } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import { createMemo } from '#model/memo.ts';
import type { RenderUnit } from '#model/rendering.ts';
import type { ForeignRenderer } from '#ports/foreign-renderer.ts';
import { foreignRequests } from '#render/render.ts';

/** Gives units the answers of foreign programs, which are asked before the workers render: those start nothing themselves. */
export interface ForeignAnswers {
  /** The same units, those with Helm or Kustomize components with `foreign`. `afresh` asks again what was answered before (V-89). */
  answered(
    units: readonly RenderUnit[],
    how: { readonly afresh: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<readonly RenderUnit[]>;
}

/** Remembers what follows from its input alone: the same chart, values and release start a program once. */
export function createForeignAnswers(port: ForeignRenderer | undefined): ForeignAnswers {
  const known = createMemo<ForeignAnswer>(300);

  async function ask(unit: RenderUnit, request: ForeignRequest, how: Parameters<ForeignAnswers['answered']>[1]): Promise<ForeignAnswer> {
    if (port === undefined) return { kind: 'missing', found: 'this process starts no programs' };
    const key = inputDigest(unit, request);
    const before = how.afresh ? undefined : known.get(key);
    if (before !== undefined) return before;
    const answer = await port.render(request, how.signal);
    // A limit or a missing program says something of this machine at this moment.
    return answer.kind === 'limit' || answer.kind === 'missing' ? answer : known.set(key, answer);
  }

  async function answeredOne(unit: RenderUnit, how: Parameters<ForeignAnswers['answered']>[1]): Promise<RenderUnit> {
    if (!hasForeign(unit)) return unit;
    const asked = await Promise.all(
      [...foreignRequests(unit)].map(async ([component, request]) => [component, await ask(unit, request, how)] as const),
    );
    return { ...unit, foreign: new Map(asked) };
  }

  return { answered: (units, how) => Promise.all(units.map((unit) => answeredOne(unit, how))) };
}

function hasForeign(unit: RenderUnit): boolean {
  return Object.values(unit.capsule.declaration.spec.components ?? {}).some(({ kind }) => kind === 'Helm' || kind === 'Kustomize');
}

/** The content address stands for the files. */
function inputDigest(unit: RenderUnit, request: ForeignRequest): string {
  return sha256Of(
    `${unit.pin.gitTree} ${unit.pin.sha256} ${unit.capsule.directory} ${unit.capsule.lineage ?? ''} ${canonicalJson(inputOf(request))}`,
  );
}

function inputOf(request: ForeignRequest): JsonObject {
  const { tool, version, path } = request;
  if (request.tool === 'kustomize') return { tool, version, path };
  const { name, namespace, values, kubernetes, apiVersions } = request;
  return { tool, version, path, name, namespace, values, kubernetes, apiVersions };
}
