import type { CapsuleSource, DesiredEnvironment } from '#model/desired.ts';
import { keyText, type ObjectKey } from '#model/kubernetes-object.ts';
import type { Outcome, StepPreview } from '#model/plan.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { RenderedUnit } from '#model/rendering.ts';
import { placeOfPointer } from '#render/render.ts';
import { inPlace, linesOfSources } from './composed.ts';
import { withLines } from './lines.ts';
import type { Lines } from './lines.ts';
import type { PreparedTarget } from './prepared-target.ts';

/** Where in git the objects of a rendering were written. */
export interface ObjectPlaces {
  /**
   * A problem that a target has with an object, at the component, template, manifest or patch that gave it, or the field that its
   * `place.pointer` names; unchanged where it has a file already, and where the object is not of this rendering.
   */
  placed(target: string, key: ObjectKey, problem: Problem): Problem;
}

interface ObjectPlacesRequest {
  readonly environment: DesiredEnvironment;
  readonly prepared: readonly PreparedTarget[];
  readonly rendered: Pick<WeakMap<PreparedTarget['items'][number], RenderedUnit>, 'get'>;
  readonly sources: readonly CapsuleSource[];
}

interface Origin {
  readonly item: PreparedTarget['items'][number];
  readonly unit: RenderedUnit;
  readonly at: number;
}

/** Hardly anybody asks: nothing is looked up before. */
export function createObjectPlaces(request: ObjectPlacesRequest): ObjectPlaces {
  const { environment, prepared, rendered, sources } = request;
  const origins = new Map<string, ReadonlyMap<string, Origin>>();
  let lines: ReadonlyMap<string, Lines> | undefined;

  function originOf(target: string, key: ObjectKey): Origin | undefined {
    const known = origins.get(target) ?? originsOf(prepared.find((one) => one.target.name === target)?.items ?? [], rendered);
    origins.set(target, known);
    return known.get(keyText(key));
  }

  function withLine(problem: Problem): Problem {
    lines ??= new Map([...linesOfSources(sources), environment.declared].map((one) => [one.file, one]));
    const file = lines.get(problem.place.file ?? '');
    return file === undefined ? problem : (withLines([problem], [file])[0] ?? problem);
  }

  function placed(target: string, key: ObjectKey, problem: Problem): Problem {
    if (problem.place.file !== undefined) return withLine(problem);
    const origin = originOf(target, key);
    const place = origin === undefined ? undefined : placeIn(origin, problem.place.pointer ?? '');
    if (place === undefined) return problem;
    return withLine(inPlace([{ ...problem, place }], sources)[0] ?? problem);
  }

  return { placed };
}

function originsOf(items: PreparedTarget['items'], rendered: ObjectPlacesRequest['rendered']): ReadonlyMap<string, Origin> {
  return new Map(
    items.flatMap((item) => {
      const unit = rendered.get(item);
      return unit === undefined ? [] : unit.objects.map(({ key }, at) => [keyText(key), { item, unit, at }] as const);
    }),
  );
}

/** A template has lines only for fields: without one, that of the object's kind. */
function placeIn({ item, unit, at }: Origin, pointer: string): Place | undefined {
  const [object, origin] = [unit.objects[at]?.object, unit.origins[at]];
  if (object === undefined || origin === undefined) return undefined;
  const place = placeOfPointer(item.unit.capsule, { object, origin }, pointer);
  if (place.line !== undefined || place.pointer !== undefined) return place;
  return { ...place, line: placeOfPointer(item.unit.capsule, { object, origin }, '/kind').line };
}

export function placedOutcomes(places: ObjectPlaces, target: string, outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.map((outcome) =>
    outcome.problem === undefined ? outcome : { ...outcome, problem: places.placed(target, outcome.key, outcome.problem) },
  );
}

/** `keys`: of each path that has a preview. */
export function placedPreview(
  places: ObjectPlaces,
  target: string,
  from: { readonly preview: ReadonlyMap<string, StepPreview>; readonly keys: ReadonlyMap<string, ObjectKey> },
): ReadonlyMap<string, StepPreview> {
  return new Map(
    [...from.preview].map(([path, step]) => {
      const key = from.keys.get(path);
      const isWhole = step.problem === undefined || key === undefined;
      return [path, isWhole ? step : { ...step, problem: places.placed(target, key, step.problem) }] as const;
    }),
  );
}
