import type { Capsule, Project } from '#model/declarations.generated.ts';
import type { CapsuleSource, Declared, DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { ForeignRequest } from '#model/foreign.ts';
import { isJsonObject } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import type { KubernetesApi } from '#model/kubernetes-shapes.ts';
import type { EnvironmentName, InstanceName } from '#model/names.ts';
import type { Place, Problem } from '#model/problem.ts';
import { NOWHERE } from '#model/problem.ts';
import type {
  ImageUses,
  ObjectOrigin,
  RenderedObject,
  RenderedUnit,
  Rendering,
  RenderTarget,
  RenderUnit,
  UnitResult,
  TargetRendering,
} from '#model/rendering.ts';
import type { Configuration } from '#model/resolution.ts';
import type { Result } from '#model/result.ts';
import { refused } from '#model/result.ts';
import type { UnitOfTarget } from './assembly.ts';
import { assemble, firstDifference, joinTargets } from './assembly.ts';
import type { CustomKinds as Kinds } from './custom-resources.ts';
import { customKinds as kindsOf, isDefinition as bringsKind } from './custom-resources.ts';
import type { Delegation as DelegationOf } from './delegation.ts';
import { renderDelegation as delegate } from './delegation.ts';
import { placeOfPointer as placeOf } from './finding-place.ts';
import { foreignRequestsOf } from './foreign.ts';
import { usesOfImages } from './image-uses.ts';
import { imagesOfObjects, renderedImageProblems } from './images.ts';
import type { ObjectJudgement as Judgement } from './kubernetes-judge.ts';
import { isBuiltIn as isKnown, judgeAgainstSchemas } from './kubernetes-judge.ts';
import type { Preparation } from './preparation.ts';
import { prepare } from './preparation.ts';
import { environmentQuotaProblems, tenantQuotaProblems } from './quota.ts';
import { objectNameOf, providedOutputs } from './scope.ts';
import { objectsOwnedTwice } from './shared-objects.ts';
import type { EnvironmentRendering } from './shared-objects.ts';
import { checkTemplates } from './template-check.ts';
import { renderWith } from './unit.ts';

/** What rendering learns once of a capsule's content: compiled templates, its configuration schema. Keep one per content address. */
export type PreparedCapsule = Preparation;

export function prepareCapsule(capsule: RenderUnit['capsule']): PreparedCapsule {
  return prepare(capsule);
}

/** What programs outside have to answer, by component, before the unit can be rendered with the answers in `unit.foreign`. */
export function foreignRequests(unit: RenderUnit): ReadonlyMap<string, ForeignRequest> {
  return foreignRequestsOf(unit);
}

/** The objects of one unit, by path; or every problem found. Runs people's templates: call it inside a render worker. */
export function renderUnit(unit: RenderUnit): UnitResult {
  return renderPrepared(unit, prepareCapsule(unit.capsule));
}

/** The same with a capsule prepared before; `unit.capsule` must be what it was prepared from. */
export function renderPrepared(unit: RenderUnit, prepared: PreparedCapsule): UnitResult {
  try {
    return renderWith(unit, prepared);
  } catch (error) {
    return refused([unitFailed(unit, error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'unknown')]);
  }
}

function unitFailed(unit: RenderUnit, what: string): Problem {
  return {
    code: 'render-failed',
    rule: undefined,
    severity: 'error',
    phase: 'render',
    message: `${unit.pin.instance} ${unit.pin.version} for ${unit.target.environment}/${unit.target.name} could not be rendered: ${what.slice(0, 200)}`,
    remedy: 'This is a defect of the capsule or of Capstan; simplify the capsule, and report it.',
    place: { ...NOWHERE, file: `${unit.capsule.directory}/capsule.yaml` },
    related: [],
  };
}

export interface OutputsQuestion {
  readonly declaration: Capsule;
  readonly instance: InstanceName;
  readonly target: RenderTarget;
  readonly configuration: Pick<Configuration, 'value'>;
}

/** What dependents may use: `url`, and `<provide>.url` where several provides have one (the first by name has the short form). */
export function outputsOf(question: OutputsQuestion): Readonly<Record<string, string>> {
  const { declaration, instance, target } = question;
  const facts = {
    name: objectNameOf(instance),
    instance,
    namespace: target.namespace,
    environment: target.environment,
    config: question.configuration.value,
  };
  const outputs: Record<string, string> = {};
  for (const [provide, values] of Object.entries(providedOutputs(declaration, facts))) {
    if (!isJsonObject(values)) continue;
    for (const [output, text] of Object.entries(values)) {
      if (typeof text !== 'string') continue;
      outputs[`${provide}.${output}`] = text;
      outputs[output] ??= text;
    }
  }
  return outputs;
}

/** One target's rendering with its digest and render.metadata; V-55 across its instances. */
export function assembleTarget(target: RenderTarget, units: readonly UnitOfTarget[]): Result<TargetRendering> {
  return assemble(target, units);
}

export function assembleRendering(environment: EnvironmentName, targets: readonly TargetRendering[]): Rendering {
  return joinTargets(environment, targets);
}

/** V-55 across environments that share a target. */
export function sharedObjects(renderings: readonly EnvironmentRendering[]): readonly Problem[] {
  return objectsOwnedTwice(renderings);
}

/** V-39: what an environment's objects request, beside its quota. */
export function overEnvironmentQuota(environment: DesiredEnvironment, rendering: Rendering): readonly Problem[] {
  return environmentQuotaProblems(environment, rendering);
}

/** V-39: the same for tenants, over their environments. */
export function overTenantQuota(project: Declared<Project> | undefined, renderings: readonly EnvironmentRendering[]): readonly Problem[] {
  return tenantQuotaProblems(project, renderings);
}

/** Every image that a rendering makes a cluster pull, as far as kinds are known. */
export function imageUses(rendering: Rendering): ImageUses {
  return usesOfImages(rendering);
}

/** V-31 for images that stand in templates and manifests; `declared` are those that were judged before. */
export function unpinnedImages(environment: DesiredEnvironment, rendering: Rendering, declared: ReadonlySet<string>): readonly Problem[] {
  return renderedImageProblems(environment, rendering, declared);
}

/** Every image that objects name, once. */
export function imagesOf(objects: readonly RenderedObject[]): readonly string[] {
  return imagesOfObjects(objects);
}

/** V-89: the same unit rendered twice gives the same bytes. */
export function compareRenderings(unit: RenderUnit, a: RenderedUnit, b: RenderedUnit): readonly Problem[] {
  const difference = firstDifference(a, b);
  if (difference === undefined) return [];
  return [
    {
      code: 'rendering-not-deterministic',
      rule: 'V-89',
      severity: 'error',
      phase: 'render',
      message: `rendering ${unit.pin.instance} for ${unit.target.environment}/${unit.target.name} is not deterministic: ${difference}`,
      remedy: 'Remove what differs between runs from the templates.',
      place: { ...NOWHERE, file: `${unit.capsule.directory}/capsule.yaml` },
      related: [],
    },
  ];
}

/** V-88: what can be said of a capsule's templates without rendering them. */
export function checkCapsuleTemplates(source: CapsuleSource): readonly Problem[] {
  return checkTemplates({ declaration: source.declared.value, files: source.contents, directory: source.directory });
}

/** What schemas say of an object. `unknown`: nobody here knows its kind. */
export type ObjectJudgement = Judgement;

/** The kinds that CustomResourceDefinitions bring. */
export type CustomKinds = Kinds;

/** V-87: an object against what Kubernetes and the definitions beside it say of its kind. */
export function judgeObject(api: KubernetesApi, custom: CustomKinds, object: KubernetesObject): ObjectJudgement {
  return judgeAgainstSchemas(api, custom, object);
}

/** Does Kubernetes itself know the kind, whatever is defined beside it? */
export function isBuiltIn(api: KubernetesApi, object: KubernetesObject): boolean {
  return isKnown(api, object);
}

export function isDefinition(object: KubernetesObject): boolean {
  return bringsKind(object);
}

export function customKinds(definitions: readonly KubernetesObject[]): CustomKinds {
  return kindsOf(definitions);
}

/** Where to look for what is at `pointer` of an object: a patch, a line of a manifest or template, a component. */
export function placeOfPointer(
  capsule: RenderUnit['capsule'],
  from: { readonly object: KubernetesObject; readonly origin: ObjectOrigin },
  pointer: string,
): Place {
  return placeOf(capsule, from, pointer);
}

/** Who puts a target's objects there in our place, and how. */
export type Delegation = DelegationOf;

/** The objects that make another tool put a rendering there, at exactly this commit of its branch. */
export function renderDelegation(rendering: TargetRendering, delegation: Delegation, commit: CommitId | undefined): TargetRendering {
  return delegate(rendering, delegation, commit);
}
