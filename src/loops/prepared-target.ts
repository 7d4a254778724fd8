import type { CapsuleSource, DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import type { BlobId } from '#model/digest.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import { createMemo } from '#model/memo.ts';
import type { InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { InstanceNeed, RenderedUnit, RenderTarget, RenderUnit, Wishes } from '#model/rendering.ts';
import type { ConfigurationLayer, ResolvedInstance } from '#model/resolution.ts';
import type { SealedFile } from '#model/sealed.ts';
import { outputsOf } from '#render/render.ts';
import { configurationLayers, environmentWish, mergeConfiguration, schemaOfCapsule } from '#resolve/resolve.ts';
import { namespaceOf } from './sync-rules.ts';

/** An instance on a target, ready to be rendered. The same object is answered as long as it would say the same. */
export interface Prepared {
  /** Different for every other one. */
  readonly number: number;
  /** What its rendering follows from. */
  readonly key: string;
  readonly unit: RenderUnit;
  readonly outputs: Readonly<Record<string, string>>;
  /** What merging its configuration found. */
  readonly findings: readonly Problem[];
  /** Its rendering, where there is nothing to render. */
  readonly inert: RenderedUnit | undefined;
  /** See RenderedInstanceFacts. */
  readonly healthOf: readonly InstanceName[] | undefined;
  /** See RenderedInstanceFacts. */
  readonly needs: readonly InstanceNeed[] | undefined;
}

export interface PreparedTarget {
  readonly target: RenderTarget;
  /** By wave. */
  readonly items: readonly Prepared[];
}

export interface TargetRequest {
  readonly environment: DesiredEnvironment;
  readonly declared: DeclaredTarget;
  /** By wave, each with its capsule. */
  readonly instances: readonly SourcedInstance[];
}

export interface SourcedInstance {
  readonly instance: ResolvedInstance;
  readonly source: CapsuleSource;
}

export interface TargetPreparation {
  prepare(request: TargetRequest): PreparedTarget;
}

/** What an instance of a target was made from the last time, compared before anything is put together. */
interface Kept {
  readonly source: CapsuleSource;
  readonly own: BlobId | undefined;
  /** Content addresses of its encrypted files; empty for most. */
  readonly sealed: string;
  readonly wave: number;
  readonly dependencies: string;
  readonly capabilities: string;
  readonly dependents: readonly InstanceName[];
  readonly recipes: string;
  readonly given: string;
  readonly item: Prepared;
}

interface KeptTarget {
  readonly target: RenderTarget;
  readonly text: string;
  readonly instances: Map<InstanceName, Kept>;
}

type Dependencies = RenderUnit['dependencies'];
const NO_DEPENDENCIES: Dependencies = {};
const NOBODY: readonly InstanceName[] = [];
const NO_CONFIGURATION: RenderUnit['configuration'] = mergeConfiguration([], undefined, []).configuration;
const NO_CAPABILITIES: RenderUnit['capabilities'] = {};

/** Remembers instances of targets, so that a pass over ten thousand of them makes only those that moved. */
export function createTargetPreparation(): TargetPreparation {
  const targets = createMemo<KeptTarget>(200);
  const items = createMemo<Prepared>(50_000);
  const identities = createIdentities();
  let made = 0;

  function prepare(request: TargetRequest): PreparedTarget {
    const { environment, declared } = request;
    const targetKey = `${environment.declared.blob} ${identities.of(declared.value)} ${declared.name}`;
    const kept = targets.get(targetKey) ?? targets.set(targetKey, keptTarget(environment, declared));
    const outputs = new Map<InstanceName, Prepared['outputs']>();
    const dependents = dependentsOn(request, kept.target);
    const prepared: Prepared[] = [];
    for (const { instance, source } of request.instances) {
      const name = instance.pin.instance;
      if (!isSelected(environment, kept.target, name)) continue;
      const now = {
        source,
        own: environment.configs.get(name)?.blob,
        sealed: sealedText(environment, name),
        wave: instance.wave,
        dependencies: instance.shapes === undefined ? dependencyText(instance, outputs) : `shapes ${instance.shapes}`,
        capabilities: instance.capabilities.size === 0 ? '{}' : JSON.stringify(Object.fromEntries(instance.capabilities)),
        dependents: dependents.get(name) ?? NOBODY,
        recipes: instance.recipes?.join(' ') ?? '',
        given: instance.given === undefined ? '' : `${instance.given.by} ${JSON.stringify(instance.given.value)}`,
      };
      const before = kept.instances.get(name);
      let item = before !== undefined && isSame(before, now) ? before.item : undefined;
      if (item === undefined) {
        const key = `${targetKey} ${name} ${source.name} ${contentOf(source)} ${now.own ?? '-'} ${now.sealed} ${now.wave} ${now.dependencies} ${now.capabilities} ${JSON.stringify([now.dependents, now.recipes])} ${now.given}`;
        item = items.get(key) ?? items.set(key, make(request, kept, { instance, source, outputs, known: now }));
        kept.instances.set(name, { ...now, item });
      }
      outputs.set(name, item.outputs);
      prepared.push(item);
    }
    return { target: kept.target, items: prepared };
  }

  function make(
    request: TargetRequest,
    { target, text }: KeptTarget,
    from: SourcedInstance & { readonly outputs: ReadonlyMap<InstanceName, Prepared['outputs']>; readonly known: Omit<Kept, 'item'> },
  ): Prepared {
    const { instance, source, known } = from;
    if (instance.shapes !== undefined) return madeInert(target, from, instance.shapes);
    const { configuration, warnings } = configure(request, instance, source);
    const wishes = wishesOf(request.environment, instance.pin.instance, known.dependents);
    const unit: RenderUnit = {
      target,
      pin: instance.pin,
      wave: instance.wave,
      capsule: {
        declaration: source.declared.value,
        files: source.contents,
        directory: source.directory,
        ...(source.parents === undefined ? {} : { lineage: contentOf(source) }),
      },
      configuration,
      dependencies: dependenciesOf(instance, from.outputs),
      capabilities: instance.capabilities.size === 0 ? NO_CAPABILITIES : Object.fromEntries(instance.capabilities),
      wishes,
    };
    made += 1;
    return {
      number: made,
      key: `${text} ${instance.pin.instance} ${source.name} ${contentOf(source)} ${configuration.sha256} ${known.wave} ${known.dependencies} ${known.capabilities} ${JSON.stringify(wishes)}`,
      unit,
      outputs: outputsOf({ declaration: source.declared.value, instance: instance.pin.instance, target, configuration }),
      findings: warnings,
      inert: undefined,
      healthOf: instance.children,
      needs: needsOf(instance, source),
    };
  }

  /** What is only extended has a place among the instances and no objects. */
  function madeInert(target: RenderTarget, { instance, source }: SourcedInstance, shaped: InstanceName): Prepared {
    const { pin, wave } = instance;
    made += 1;
    return {
      number: made,
      key: `${pin.instance} ${source.gitTree}`,
      unit: {
        target,
        pin,
        wave,
        capsule: { declaration: source.declared.value, files: source.contents, directory: source.directory },
        configuration: NO_CONFIGURATION,
        dependencies: NO_DEPENDENCIES,
        capabilities: NO_CAPABILITIES,
        wishes: { file: source.declared.file, secrets: {}, patches: [], dependents: NOBODY },
      },
      outputs: {},
      findings: [],
      inert: { instance: pin.instance, objects: [], origins: [] },
      healthOf: [shaped],
      needs: undefined,
    };
  }

  return { prepare };
}

/** Identity of everything a capsule is made of. */
function contentOf({ gitTree, parents }: CapsuleSource): string {
  return parents === undefined ? gitTree : [gitTree, ...parents.map((parent) => parent.gitTree)].join('+');
}

function isSame(before: Kept, now: Omit<Kept, 'item'>): boolean {
  return (
    before.source === now.source &&
    before.own === now.own &&
    before.sealed === now.sealed &&
    before.wave === now.wave &&
    before.recipes === now.recipes &&
    before.given === now.given &&
    before.dependencies === now.dependencies &&
    before.capabilities === now.capabilities &&
    (before.dependents === now.dependents || before.dependents.join() === now.dependents.join())
  );
}

/** Instance -> who depends on it here; only instances whose network policies follow from it are asked for. */
function dependentsOn(request: TargetRequest, target: RenderTarget): ReadonlyMap<InstanceName, readonly InstanceName[]> {
  const asked = new Map<InstanceName, InstanceName[]>();
  for (const { instance, source } of request.instances) {
    if (hasNetwork(source)) asked.set(instance.pin.instance, []);
  }
  if (asked.size === 0) return asked;
  for (const { instance, source } of request.instances) {
    if (!isSelected(request.environment, target, instance.pin.instance)) continue;
    const called = [...instance.dependencies.values()].filter(
      (provider) => hasPods(source) || instance.children?.includes(provider) !== true,
    );
    for (const provider of new Set(called)) asked.get(provider)?.push(instance.pin.instance);
  }
  for (const names of asked.values()) names.sort(compareText);
  return asked;
}

/** A bundle without components calls nobody. */
function hasPods(source: CapsuleSource): boolean {
  return Object.keys(source.declared.value.spec.components ?? {}).length > 0;
}

const networked = new WeakMap<CapsuleSource, boolean>();

/** Asked of every instance of every target at every push: worked out once per content. */
function hasNetwork(source: CapsuleSource): boolean {
  const known = networked.get(source);
  if (known !== undefined) return known;
  const answer = Object.values(source.declared.value.spec.components ?? {}).some((component) => component.network !== undefined);
  networked.set(source, answer);
  return answer;
}

function wishesOf(environment: DesiredEnvironment, instance: InstanceName, dependents: Wishes['dependents']): Wishes {
  const { spec } = environment.declared.value;
  const secrets = own(spec.secrets, instance);
  const { patches } = environmentWish(environment, instance);
  const sealed = sealedOf(environment, instance);
  return {
    file: environment.declared.file,
    secrets: secrets ?? {},
    patches: patches ?? [],
    dependents,
    ...(sealed.length === 0 ? {} : { sealed: Object.fromEntries(sealed) }),
  };
}

function sealedText(environment: DesiredEnvironment, instance: InstanceName): string {
  return environment.sealed === undefined
    ? ''
    : sealedOf(environment, instance)
        .map(([path, { blob }]) => `${path}=${blob}`)
        .join(' ');
}

function sealedOf(environment: DesiredEnvironment, instance: InstanceName): readonly (readonly [string, SealedFile])[] {
  const sources = environment.sealed === undefined ? undefined : own(environment.declared.value.spec.secrets, instance);
  return Object.values(sources ?? {}).flatMap(({ provider, path = '' }) => {
    const file = provider === 'sops' ? environment.sealed?.get(path) : undefined;
    return file === undefined ? [] : [[path, file] as const];
  });
}

function own<T>(map: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined;
}

function dependenciesOf(instance: ResolvedInstance, outputs: ReadonlyMap<InstanceName, Prepared['outputs']>): Dependencies {
  if (instance.dependencies.size === 0) return NO_DEPENDENCIES;
  const entries = [...instance.dependencies].map(([name, provider]) => [
    name,
    { instance: provider, outputs: outputs.get(provider) ?? {} },
  ]);
  return Object.fromEntries(entries) as Dependencies;
}

/** What is healthy for nobody to wait for: optional ones that are not there are no dependencies here. */
function needsOf({ dependencies }: ResolvedInstance, source: CapsuleSource): readonly InstanceNeed[] | undefined {
  if (dependencies.size === 0) return undefined;
  const declared = source.declared.value.spec.dependencies;
  return [...dependencies].map(([name, instance]) => ({
    instance,
    until: own(declared, name)?.condition === 'started' ? 'started' : 'healthy',
  }));
}

function dependencyText(instance: ResolvedInstance, outputs: ReadonlyMap<InstanceName, Prepared['outputs']>): string {
  return instance.dependencies.size === 0 ? '-' : JSON.stringify(dependenciesOf(instance, outputs));
}

function configure(from: TargetRequest, instance: ResolvedInstance, source: CapsuleSource): ReturnType<typeof mergeConfiguration> {
  const layers = configurationLayers({
    environment: from.environment,
    target: from.declared,
    instance: instance.pin.instance,
    recipes: instance.recipes,
    given: givenLayer(from, instance),
    capsule: source,
  });
  return mergeConfiguration(layers, schemaOfCapsule(source), source.declared.value.spec.config?.dynamic ?? []);
}

/** What the bundle says, at the bundle's own text. */
function givenLayer({ instances }: TargetRequest, { given }: ResolvedInstance): ConfigurationLayer | undefined {
  const bundle = given === undefined ? undefined : instances.find((one) => one.instance.pin.instance === given.by)?.source;
  if (given === undefined || bundle === undefined) return undefined;
  const base = `/spec/instances${pointerToken(given.child)}/config`;
  return { name: `bundle ${given.by}`, value: given.value, at: (pointer) => bundle.declared.at(`${base}${pointer}`) };
}

function isSelected(environment: DesiredEnvironment, target: RenderTarget, instance: InstanceName): boolean {
  // What is private, nested or extended runs where its owner runs.
  const [root = instance] = instance.split('.');
  const selector = own(environment.declared.value.spec.capsules, root)?.targets?.matchLabels;
  return selector === undefined || Object.entries(selector).every(([name, value]) => target.labels[name] === value);
}

function keptTarget(environment: DesiredEnvironment, declared: DeclaredTarget): KeptTarget {
  const facts: unknown = declared.value.facts ?? {};
  const target: RenderTarget = {
    environment: environment.name,
    name: declared.name,
    driver: declared.value.driver,
    namespace: namespaceOf(environment, declared),
    labels: declared.value.labels ?? {},
    facts: isJsonObject(facts as JsonObject) ? (facts as JsonObject) : {},
  };
  return { target, text: JSON.stringify(target), instances: new Map() };
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
