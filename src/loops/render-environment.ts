import type { CapsuleSource, DeclaredTarget, DesiredEnvironment, DesiredState } from '#model/desired.ts';
import { sha256Of } from '#model/digest.ts';
import { evaluateCondition } from '#model/expression.ts';
import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { mergePatch } from '#model/merge-patch.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Rendering, RenderedUnit, RenderTarget, RenderUnit, TargetRendering } from '#model/rendering.ts';
import type { Configuration, Pin, ReleaseIndex, Resolution, ResolvedInstance } from '#model/resolution.ts';
import { accepted, refused } from '#model/result.ts';
import type { Result } from '#model/result.ts';
import { judgeRendering } from '#policy/policy.ts';
import type { Renderer } from '#ports/renderer.ts';
import { assembleRendering, assembleTarget, outputsOf } from '#render/render.ts';
import { configurationLayers, mergeConfiguration, resolveEnvironment } from '#resolve/resolve.ts';
import { createMemo } from './memo.ts';
import type { Memo } from './memo.ts';
import type { Reading } from './reading.ts';

/** An environment's pins turned into objects, with the configuration every one of them came from. */
export interface RenderedEnvironment {
  readonly resolution: Resolution;
  readonly rendering: Rendering;
  /** `target instance` -> merged configuration with origins. */
  readonly configurations: ReadonlyMap<string, Configuration>;
  readonly warnings: readonly Problem[];
}

export interface EnvironmentRenderer {
  render(request: RenderRequest, signal?: AbortSignal): Promise<Result<RenderedEnvironment>>;
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
}

interface Prepared {
  readonly unit: RenderUnit;
  readonly key: string;
}

/** Resolve, configure, render and judge one environment; units whose inputs did not move are remembered. */
export function createEnvironmentRenderer(reading: Reading, renderer: Renderer): EnvironmentRenderer {
  const units = createMemo<RenderedUnit>(50_000);
  const configurations = createMemo<ConfiguredInstance>(50_000);
  const targets = createMemo<TargetRendering>(200);
  const judged = createMemo<readonly Problem[]>(200);
  const identities = createIdentities();

  async function render(request: RenderRequest, signal?: AbortSignal): Promise<Result<RenderedEnvironment>> {
    const pins = request.resolution.instances.map((instance) => instance.pin);
    const loaded = await reading.capsules(pins.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
    const problems = loaded.flatMap((item) => item.problems.filter((problem) => problem.severity === 'error'));
    if (problems.length > 0) return refused(problems);
    const sources = new Map(
      loaded.flatMap((item): [string, CapsuleSource][] =>
        item.source === undefined ? [] : [[`${item.source.name} ${item.source.gitTree}`, item.source]],
      ),
    );

    const prepared: { target: RenderTarget; items: Prepared[] }[] = [];
    const found: Problem[] = [];
    const merged = new Map<string, Configuration>();
    for (const declared of request.environment.targets) {
      const target = renderTarget(request.environment, declared);
      const made = prepareTarget({ request, sources, declared, target }, configurations, identities);
      found.push(...made.problems);
      for (const item of made.items) merged.set(`${target.name} ${item.unit.pin.instance}`, item.unit.configuration);
      prepared.push({ target, items: made.items });
    }
    const errors = found.filter((problem) => problem.severity === 'error');
    if (errors.length > 0) return refused(errors);

    const rendered = await renderMissing(
      prepared.flatMap((item) => item.items),
      { units, renderer, signal },
    );
    if (!rendered.ok) return rendered;
    const assembled = assemble(prepared, rendered.value, targets);
    if (!assembled.ok) return assembled;
    const rendering = assembleRendering(request.environment.name, assembled.value);
    const verdicts = assembled.value.flatMap((target) => judgeTarget(request, target, judged));
    const denied = verdicts.filter((problem) => problem.severity === 'error');
    if (denied.length > 0) return refused(denied);
    const warnings = [...found, ...verdicts].filter((problem) => problem.severity === 'warning');
    return accepted({ resolution: request.resolution, rendering, configurations: merged, warnings });
  }

  return { render };
}

/** The verdicts on one target follow from its objects, the environment and the policies. */
function judgeTarget(request: RenderRequest, rendering: TargetRendering, memo: Memo<readonly Problem[]>): readonly Problem[] {
  const { environment, state, occasion } = request;
  const key = [
    occasion,
    environment.declared.blob,
    rendering.target.name,
    sha256Of(rendering.metadata),
    ...state.policies.map((policy) => policy.blob),
  ].join(' ');
  const known = memo.get(key);
  if (known !== undefined) return known;
  return memo.set(
    key,
    (['render', occasion] as const).flatMap((on) => judgeRendering(state.policies, { on, environment, rendering, previous: undefined })),
  );
}

/** What may move, what may come in, and what stays out for now; by default the lock stays as it is. */
export type ResolveChoice = Partial<Pick<Parameters<typeof resolveEnvironment>[0], 'move' | 'admits' | 'leaveOut'>>;

/** Asks the resolver, loading what it needs, until it has an answer. */
export async function resolvePins(reading: Reading, request: ResolveRequest & ResolveChoice): Promise<Result<Resolution>> {
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
        return accepted(answer.resolution);
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

/** `when` of a dependency sees the configuration that the environment gives the instance, over the capsule's defaults. */
function whenApplies(request: ResolveRequest): NonNullable<Parameters<typeof resolveEnvironment>[0]['applies']> {
  return ({ instance, capsule, expression }) => {
    const { spec } = request.environment.declared.value;
    const layers = [
      capsule.declaration.spec.config?.defaults,
      spec.capsules?.[instance]?.config,
      request.environment.configs.get(instance)?.value,
    ];
    const config = layers.reduce<Json>((merged, layer) => (layer === undefined ? merged : mergePatch(merged, layer)), {});
    const judged = evaluateCondition(expression, { config, environment: { name: request.environment.name, risk: spec.risk } });
    return judged.ok ? judged.value : undefined;
  };
}

type ConfiguredInstance = ReturnType<typeof mergeConfiguration>;

interface TargetRequest {
  readonly request: RenderRequest;
  readonly sources: ReadonlyMap<string, CapsuleSource>;
  readonly declared: DeclaredTarget;
  readonly target: RenderTarget;
}

function prepareTarget(
  from: TargetRequest,
  memo: Memo<ConfiguredInstance>,
  identities: Identities,
): { items: Prepared[]; problems: Problem[] } {
  const items: Prepared[] = [];
  const problems: Problem[] = [];
  const outputs = new Map<InstanceName, Readonly<Record<string, string>>>();
  const byWave = [...from.request.resolution.instances].sort((a, b) => a.wave - b.wave);
  const targetKey = `${from.request.environment.declared.blob} ${identities.of(from.declared.value)} ${from.target.name}`;
  for (const instance of byWave) {
    const source = from.sources.get(`${instance.pin.capsule} ${instance.pin.gitTree}`);
    if (source === undefined || !isSelected(from, instance)) continue;
    const own = from.request.environment.configs.get(instance.pin.instance);
    const key = `${targetKey} ${instance.pin.instance} ${source.gitTree} ${own === undefined ? '-' : own.blob}`;
    const configured = memo.get(key) ?? memo.set(key, configure(from, instance, source));
    problems.push(...configured.warnings);
    const dependencies: Record<string, { instance: InstanceName; outputs: Readonly<Record<string, string>> }> = {};
    for (const [name, provider] of instance.dependencies) dependencies[name] = { instance: provider, outputs: outputs.get(provider) ?? {} };
    const unit: RenderUnit = {
      target: from.target,
      pin: instance.pin,
      wave: instance.wave,
      capsule: { declaration: source.declared.value, files: source.contents, directory: source.directory },
      configuration: configured.configuration,
      dependencies,
      capabilities: Object.fromEntries(instance.capabilities),
    };
    outputs.set(
      instance.pin.instance,
      outputsOf({
        declaration: unit.capsule.declaration,
        instance: instance.pin.instance,
        target: from.target,
        configuration: unit.configuration,
      }),
    );
    items.push({ unit, key: `${key} ${instance.wave} ${dependencyKey(dependencies)} ${JSON.stringify(unit.capabilities)}` });
  }
  return { items, problems };
}

function dependencyKey(
  dependencies: Readonly<Record<string, { instance: InstanceName; outputs: Readonly<Record<string, string>> }>>,
): string {
  const names = Object.keys(dependencies);
  return names.length === 0 ? '-' : JSON.stringify(names.map((name) => [name, dependencies[name]]));
}

function configure(from: TargetRequest, instance: ResolvedInstance, source: CapsuleSource): ConfiguredInstance {
  const { declared } = source;
  const layers = configurationLayers({
    environment: from.request.environment,
    target: from.declared,
    instance: instance.pin.instance,
    capsule: { declaration: declared.value, at: (pointer) => declared.at(pointer) },
  });
  return mergeConfiguration(layers, configurationSchema(source), declared.value.spec.config?.dynamic ?? []);
}

/** The capsule's configuration schema, inline or in a file of its own; one that is not JSON is a problem of its own, found when the capsule is checked. */
function configurationSchema(source: CapsuleSource): Parameters<typeof mergeConfiguration>[1] {
  const schema = source.declared.value.spec.config?.schema;
  if (schema === undefined) return undefined;
  if (typeof schema !== 'string') return { value: schema as Json, at: (pointer) => source.declared.at(`/spec/config/schema${pointer}`) };
  const bytes = source.contents.get(schema);
  if (bytes === undefined) return undefined;
  try {
    return {
      value: JSON.parse(Buffer.from(bytes).toString('utf8')) as Json,
      at: (pointer) => ({ file: `${source.directory}/${schema}`, line: undefined, column: undefined, pointer }),
    };
  } catch {
    return undefined;
  }
}

function isSelected(from: TargetRequest, instance: ResolvedInstance): boolean {
  const selector = from.request.environment.declared.value.spec.capsules?.[instance.pin.instance]?.targets?.matchLabels;
  if (selector === undefined) return true;
  return Object.entries(selector).every(([name, value]) => from.target.labels[name] === value);
}

function renderTarget(environment: DesiredEnvironment, declared: DeclaredTarget): RenderTarget {
  const facts: unknown = declared.value.facts ?? {};
  const namespace = declared.value.namespace ?? environment.declared.value.spec.tenancy?.namespace;
  return {
    environment: environment.name,
    name: declared.name,
    driver: declared.value.driver,
    namespace: namespace ?? environment.name,
    labels: declared.value.labels ?? {},
    facts: isJsonObject(facts as JsonObject) ? (facts as JsonObject) : {},
  };
}

interface RenderTools {
  readonly units: Memo<RenderedUnit>;
  readonly renderer: Renderer;
  readonly signal: AbortSignal | undefined;
}

async function renderMissing(items: readonly Prepared[], tools: RenderTools): Promise<Result<ReadonlyMap<string, RenderedUnit>>> {
  const answers = new Map<string, RenderedUnit>();
  const missing: Prepared[] = [];
  for (const item of items) {
    const known = tools.units.get(item.key);
    if (known === undefined) missing.push(item);
    else answers.set(item.key, known);
  }
  const rendered =
    missing.length === 0
      ? []
      : await tools.renderer.render(
          missing.map((item) => item.unit),
          tools.signal,
        );
  const problems: Problem[] = [];
  for (const [index, item] of missing.entries()) {
    const answer = rendered[index];
    if (answer === undefined) throw new Error('the renderer answered fewer units than it was given');
    if (answer.ok) answers.set(item.key, tools.units.set(item.key, answer.value));
    else problems.push(...answer.problems);
  }
  return problems.length > 0 ? refused(problems) : accepted(answers);
}

function assemble(
  prepared: readonly { target: RenderTarget; items: readonly Prepared[] }[],
  rendered: ReadonlyMap<string, RenderedUnit>,
  memo: Memo<TargetRendering>,
): Result<readonly TargetRendering[]> {
  const targets: TargetRendering[] = [];
  const problems: Problem[] = [];
  for (const { target, items } of prepared) {
    const key = sha256Of(items.map((item) => item.key).join('\n'));
    const known = memo.get(key);
    if (known !== undefined) {
      targets.push(known);
      continue;
    }
    const units = items.flatMap((item) => {
      const unit = rendered.get(item.key);
      return unit === undefined
        ? []
        : [{ pin: item.unit.pin, configuration: item.unit.configuration, wave: item.unit.wave, rendered: unit }];
    });
    const assembled = assembleTarget(target, units);
    if (assembled.ok) targets.push(memo.set(key, assembled.value));
    else problems.push(...assembled.problems);
  }
  return problems.length > 0 ? refused(problems) : accepted(targets);
}

interface Identities {
  of(value: object): number;
}

/** A number per object: parsed documents are shared by content, so the number stands for it. */
function createIdentities(): Identities {
  const known = new WeakMap<object, number>();
  let next = 0;
  return {
    of(value) {
      let id = known.get(value);
      if (id === undefined) {
        next += 1;
        id = next;
        known.set(value, id);
      }
      return id;
    },
  };
}
