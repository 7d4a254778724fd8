import type { DesiredEnvironment, DesiredState } from '#model/desired.ts';
import { evaluateCondition } from '#model/expression.ts';
import { createMemo } from '#model/memo.ts';
import type { Memo } from '#model/memo.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { Rendering, RenderedUnit, RenderUnit, TargetRendering } from '#model/rendering.ts';
import type { Configuration, Pin, ReleaseIndex, Resolution } from '#model/resolution.ts';
import { accepted, refused } from '#model/result.ts';
import type { Result } from '#model/result.ts';
import { judgeRendering, looksAtChange, looksBack, verdictKey } from '#policy/policy.ts';
import type { Clock } from '#ports/machine.ts';
import type { Renderer } from '#ports/renderer.ts';
import { assembleRendering, assembleTarget, compareRenderings, overEnvironmentQuota } from '#render/render.ts';
import { environmentWish, mergeConfiguration, resolveEnvironment } from '#resolve/resolve.ts';
import { composedSources, createComposer, inPlace, linesOfSources } from './composed.ts';
import type { ForeignAnswers } from './foreign-answers.ts';
import type { ObjectJudge } from './judged-objects.ts';
import { createObjectJudge } from './judged-objects.ts';
import { withLines } from './lines.ts';
import { createObjectPlaces } from './placed-problems.ts';
import type { ObjectPlaces } from './placed-problems.ts';
import { createTargetPreparation } from './prepared-target.ts';
import type { Prepared, PreparedTarget, SourcedInstance } from './prepared-target.ts';
import type { Reading } from './reading.ts';

/** An environment's pins turned into objects, with the configuration every one of them came from. */
export interface RenderedEnvironment {
  readonly resolution: Resolution;
  readonly rendering: Rendering;
  /** `target instance` -> merged configuration with origins. */
  configurations(): ReadonlyMap<string, Configuration>;
  readonly warnings: readonly Problem[];
  /** Where in git its objects were written. */
  readonly places: ObjectPlaces;
  /** Objects that no schema judged: API version and kind -> how many. */
  readonly unjudged: ReadonlyMap<string, number>;
}

export interface EnvironmentRenderer {
  render(request: RenderRequest, signal?: AbortSignal): Promise<Result<RenderedEnvironment>>;
  /** Whole answers of commits, which the next question often compares with. */
  readonly remembered: Memo<RenderedEnvironment>;
  readonly counts: ObjectJudge['counts'];
}

export interface ResolveRequest {
  readonly state: DesiredState;
  readonly environment: DesiredEnvironment;
  /** The pins to render: those of the lock, or of a fresh resolution. */
  readonly pins: readonly Pin[];
  readonly index: ReleaseIndex;
}

export interface RenderRequest {
  readonly state: DesiredState;
  readonly environment: DesiredEnvironment;
  readonly resolution: Resolution;
  /** Why it is rendered: policies of this occasion are asked, beside those of `render`. */
  readonly occasion: 'reconcile' | 'pullRequest';
  /** Renders whatever is rendered a second time and compares the bytes (V-89). */
  readonly twice?: boolean;
}

/** Resolve, configure, render and judge one environment; units whose inputs did not move are remembered. */
export function createEnvironmentRenderer(
  reading: Reading,
  { renderer, foreign }: Pick<RenderTools, 'renderer' | 'foreign'>,
  clock: Clock,
): EnvironmentRenderer {
  const preparation = createTargetPreparation();
  const units = createMemo<RenderedUnit>(50_000);
  const known = new WeakMap<Prepared, RenderedUnit>();
  const targets = createMemo<TargetRendering>(200);
  const composer = createComposer();
  const objectJudge = createObjectJudge();
  const judged = createMemo<WeakMap<Prepared, readonly Problem[]>>(200);

  async function render(request: RenderRequest, signal?: AbortSignal): Promise<Result<RenderedEnvironment>> {
    const answer = await renderOnce(request, signal);
    if (answer.ok) return answer;
    const sources = [...(await composedSources(reading, request.resolution.instances)).values()];
    return refused(withLines(inPlace(answer.problems, sources), [...linesOfSources(sources), request.environment.declared]));
  }

  async function renderOnce(request: RenderRequest, signal: AbortSignal | undefined): Promise<Result<RenderedEnvironment>> {
    const instances = [...request.resolution.instances].sort((a, b) => a.wave - b.wave);
    const loaded = await reading.capsules(instances.map(({ pin }) => ({ name: pin.capsule, tree: pin.gitTree })));
    const problems = loaded.flatMap((item) => item.problems.filter((problem) => problem.severity === 'error'));
    if (problems.length > 0) return refused(problems);
    const sources = new Map(instances.map(({ pin }, index) => [pin.instance, loaded[index]?.source]));
    const sourced = instances.flatMap((instance): SourcedInstance[] => {
      const source = composer.sourceOf(instance, sources);
      return source === undefined ? [] : [{ instance, source }];
    });
    const { environment } = request;
    const prepared = environment.targets.map((declared) => preparation.prepare({ environment, declared, instances: sourced }));
    const found = prepared.flatMap((target) => target.items.flatMap((item) => item.findings));
    const errors = found.filter((problem) => problem.severity === 'error');
    if (errors.length > 0) return refused(errors);

    const rendered = await renderMissing(prepared, { units, known, renderer, foreign, twice: request.twice === true, signal });
    if (!rendered.ok) return refused([...rendered.problems, ...(await shapeErrors(environment, prepared, rendered.made))]);
    const assembled = assemble(prepared, rendered.value, targets);
    if (!assembled.ok) return refused([...assembled.problems, ...(await shapeErrors(environment, prepared, rendered.value))]);
    const rendering = assembleRendering(environment.name, assembled.value);
    const tooMuch = overEnvironmentQuota(environment, rendering);
    if (tooMuch.length > 0) return refused([...tooMuch, ...(await shapeErrors(environment, prepared, rendered.value))]);
    const capsules = new Map(sourced.map(({ instance, source }) => [instance.pin.instance, source.declared]));
    const verdicts = judge(request, { prepared, rendered: rendered.value, targets: assembled.value, capsules });
    const objects = await objectJudge.judge(environment, prepared, rendered.value);
    const denied = [...objects.problems, ...verdicts].filter((problem) => problem.severity === 'error');
    if (denied.length > 0) return refused(denied);
    const warnings = [...found, ...objects.problems, ...verdicts].filter((problem) => problem.severity === 'warning');
    const configurations = (): ReturnType<RenderedEnvironment['configurations']> => configurationsOf(prepared);
    const places = createObjectPlaces({ environment, prepared, rendered: rendered.value, sources: sourced.map(({ source }) => source) });
    return accepted({ resolution: request.resolution, rendering, configurations, warnings, places, unjudged: objects.unknown });
  }

  /** What keeps an environment from being rendered hides nothing of what is wrong with its objects. */
  async function shapeErrors(...asked: Parameters<ObjectJudge['judge']>): Promise<readonly Problem[]> {
    return (await objectJudge.judge(...asked)).problems.filter((problem) => problem.severity === 'error');
  }

  /** The verdict on a unit follows from its objects, the environment and the policies. */
  function judge(
    request: RenderRequest,
    from: {
      readonly prepared: readonly PreparedTarget[];
      readonly rendered: RenderedUnits;
      readonly targets: readonly TargetRendering[];
      readonly capsules: NonNullable<Parameters<typeof judgeRendering>[1]['capsules']>;
    },
  ): readonly Problem[] {
    const { environment, state, occasion } = request;
    // What looks back is judged where the last rendering is known, and who proposes a change is known where a proposal is checked.
    const policies = state.policies.filter((policy) => !looksBack(policy) && !(occasion === 'pullRequest' && looksAtChange(policy)));
    if (policies.length === 0) return [];
    const now = clock.now();
    const key = `${occasion} ${environment.declared.blob} ${verdictKey(policies, now)}`;
    const verdicts = judged.get(key) ?? judged.set(key, new WeakMap());
    return from.prepared.flatMap(({ target, items }, at) =>
      items.flatMap((item) => {
        const verdict = verdicts.get(item);
        if (verdict !== undefined) return verdict;
        const rendering = { target, objects: from.rendered.get(item)?.objects ?? [], instances: from.targets[at]?.instances ?? new Map() };
        const problems = (['render', occasion] as const).flatMap((on) =>
          judgeRendering(policies, { on, environment, rendering, previous: undefined, at: now, capsules: from.capsules }),
        );
        // A policy that is asked on both occasions says the same twice.
        const once = [
          ...new Map(problems.map((problem) => [JSON.stringify([problem.code, problem.place, problem.message]), problem])).values(),
        ];
        verdicts.set(item, once);
        return once;
      }),
    );
  }

  return { render, remembered: createMemo(16), counts: () => objectJudge.counts() };
}

function configurationsOf(prepared: readonly PreparedTarget[]): ReadonlyMap<string, Configuration> {
  return new Map(
    prepared.flatMap(({ target, items }) =>
      items.map((item) => [`${target.name} ${item.unit.pin.instance}`, item.unit.configuration] as const),
    ),
  );
}

/** What may move, what may come in, and what stays out for now; by default the lock stays as it is. */
export type ResolveChoice = Partial<Pick<Parameters<typeof resolveEnvironment>[0], 'move' | 'admits' | 'leaveOut'>>;

/** A resolution with what can be said against it, although it stands. */
export interface ResolvedPins extends Resolution {
  readonly warnings: readonly Problem[];
}

/** Asks the resolver, loading what it needs, until it has an answer. */
export async function resolvePins(reading: Reading, request: ResolveRequest & ResolveChoice): Promise<Result<ResolvedPins>> {
  for (;;) {
    const answer = resolveEnvironment({
      environment: request.environment,
      index: request.index,
      locked: request.pins,
      move: request.move ?? new Map(),
      admits: request.admits,
      leaveOut: request.leaveOut,
      applies: whenApplies(request),
      loaded: (release) => reading.loaded(release),
    });
    switch (answer.kind) {
      case 'resolved':
        return accepted({ ...answer.resolution, warnings: answer.warnings });
      case 'unresolvable':
        return refused(answer.problems);
      case 'needs': {
        const loaded = await reading.capsules(answer.releases.map((release) => ({ name: release.capsule, tree: release.gitTree })));
        const unreadable = loaded.flatMap((item) => (item.source === undefined ? item.problems : []));
        if (unreadable.length > 0) return refused(unreadable);
      }
    }
  }
}

/** `when` of a dependency or a child sees the configuration merged so far: everything below the targets. */
function whenApplies(request: ResolveRequest): NonNullable<Parameters<typeof resolveEnvironment>[0]['applies']> {
  return ({ instance, recipes, given, capsule, expression }) => {
    const { environment } = request;
    const { spec } = environment.declared.value;
    const values = [
      capsule.declaration.spec.config?.defaults,
      given,
      spec.config === undefined ? undefined : { global: spec.config },
      ...recipes.map((type) => spec.recipes?.[type]?.config),
      environmentWish(environment, instance).config,
      environment.configs.get(instance)?.value,
    ];
    const layers = values.flatMap((value) => (value === undefined ? [] : [{ name: '', value, at: () => NOWHERE }]));
    const schema = capsule.schema === undefined ? undefined : { value: capsule.schema, at: () => NOWHERE };
    const config = mergeConfiguration(layers, schema, []).configuration.value;
    const judged = evaluateCondition(expression, { config, environment: { name: environment.name, risk: spec.risk } });
    return judged.ok ? judged.value : undefined;
  };
}

/** Fewer than a rendering thread keeps. */
const CAPSULES_AT_ONCE = 150;

type RenderedUnits = Pick<WeakMap<Prepared, RenderedUnit>, 'get'>;

interface RenderTools {
  /** By what a rendering follows from, and by the very instance that asked before. */
  readonly units: Memo<RenderedUnit>;
  readonly known: WeakMap<Prepared, RenderedUnit>;
  readonly renderer: Renderer;
  readonly foreign: ForeignAnswers;
  readonly twice: boolean;
  readonly signal: AbortSignal | undefined;
}

/** `made`: every unit as far as it could be rendered. */
type RenderedAll =
  | { readonly ok: true; readonly value: RenderedUnits }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly made: RenderedUnits };

async function renderMissing(prepared: readonly PreparedTarget[], tools: RenderTools): Promise<RenderedAll> {
  const missing: Prepared[] = [];
  for (const { items } of prepared) {
    for (const item of items) {
      if (tools.known.has(item)) continue;
      if (item.inert !== undefined) {
        tools.known.set(item, item.inert);
        continue;
      }
      const unit = tools.units.get(item.key);
      if (unit === undefined) missing.push(item);
      else tools.known.set(item, unit);
    }
  }
  const problems = new Map<Prepared, readonly Problem[]>();
  const differing = new Map<Prepared, readonly Problem[]>();
  const partly = new Map<Prepared, RenderedUnit>();
  for (const items of byCapsule(missing)) {
    const rendered = await tools.renderer.render(await answered(items, tools, false), tools.signal);
    const fresh: Fresh[] = [];
    for (const [index, item] of items.entries()) {
      const answer = rendered[index];
      if (answer === undefined) throw new Error('the renderer answered fewer units than it was given');
      if (answer.ok) fresh.push({ item, unit: answer.value });
      else {
        problems.set(item, answer.problems);
        if (answer.made !== undefined) partly.set(item, answer.made);
      }
    }
    if (tools.twice) await renderAgain(fresh, tools, differing);
    // What does not render alike is never remembered: the next question would take it for sound.
    for (const { item, unit } of fresh)
      if ((differing.get(item) ?? []).length === 0) tools.known.set(item, tools.units.set(item.key, unit));
  }
  // Told in the order of instances, however they were rendered.
  const told = [problems, differing].flatMap((found) => missing.flatMap((item) => found.get(item) ?? []));
  if (told.length === 0) return { ok: true, value: tools.known };
  return { ok: false, problems: told, made: { get: (item) => tools.known.get(item) ?? partly.get(item) } };
}

/**
 * A renderer keeps what it made of a capsule for some of them only. Target by target a thousand capsules would be made ready anew for every
 * unit; so all units of some capsules are rendered, both times, before those of the next.
 */
function byCapsule(items: readonly Prepared[]): readonly (readonly Prepared[])[] {
  const ofCapsules = [...Map.groupBy(items, (item) => item.unit.capsule.files).values()];
  const turns: Prepared[][] = [];
  for (let at = 0; at < ofCapsules.length; at += CAPSULES_AT_ONCE) turns.push(ofCapsules.slice(at, at + CAPSULES_AT_ONCE).flat());
  return turns;
}

interface Fresh {
  readonly item: Prepared;
  readonly unit: RenderedUnit;
}

function answered(items: readonly Prepared[], { foreign, signal }: RenderTools, afresh: boolean): Promise<readonly RenderUnit[]> {
  return foreign.answered(
    items.map((item) => item.unit),
    { afresh, signal },
  );
}

/** V-89. */
async function renderAgain(fresh: readonly Fresh[], tools: RenderTools, differing: Map<Prepared, readonly Problem[]>): Promise<void> {
  if (fresh.length === 0) return;
  const items = fresh.map(({ item }) => item);
  const second = await tools.renderer.render(await answered(items, tools, true), tools.signal);
  for (const [index, { item, unit }] of fresh.entries()) {
    const after = second[index];
    if (after === undefined) throw new Error('the renderer answered fewer units than it was given');
    differing.set(item, after.ok ? compareRenderings(item.unit, unit, after.value) : after.problems);
  }
}

/** A target made of the units it was made of before is the same rendering. */
function assemble(
  prepared: readonly PreparedTarget[],
  rendered: RenderedUnits,
  memo: Memo<TargetRendering>,
): Result<readonly TargetRendering[]> {
  const targets: TargetRendering[] = [];
  const problems: Problem[] = [];
  for (const { target, items } of prepared) {
    const key = `${target.environment}/${target.name} ${items.map((item) => item.number).join(' ')}`;
    const known = memo.get(key);
    if (known !== undefined) {
      targets.push(known);
      continue;
    }
    const units = items.flatMap((item) => {
      const unit = rendered.get(item);
      return unit === undefined
        ? []
        : [
            {
              pin: item.unit.pin,
              configuration: item.unit.configuration,
              wave: item.unit.wave,
              rendered: unit,
              healthOf: item.healthOf,
              needs: item.needs,
            },
          ];
    });
    const assembled = assembleTarget(target, units);
    if (assembled.ok) targets.push(memo.set(key, assembled.value));
    else problems.push(...assembled.problems);
  }
  return problems.length > 0 ? refused(problems) : accepted(targets);
}
