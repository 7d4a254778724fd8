import type { DesiredEnvironment } from '#model/desired.ts';
import { sha256Of } from '#model/digest.ts';
import { type KubernetesApi, type KubernetesTexts, minorOf, nearestMinor, openKubernetes } from '#model/kubernetes-shapes.ts';
import { createMemo } from '#model/memo.ts';
import type { ObjectFinding } from '#model/object-finding.ts';
import type { Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import type { RenderedObject, RenderedUnit } from '#model/rendering.ts';
import {
  type CustomKinds,
  customKinds,
  isBuiltIn,
  isDefinition,
  judgeObject,
  type ObjectJudgement,
  placeOfPointer,
} from '#render/render.ts';
import type { Prepared, PreparedTarget } from './prepared-target.ts';

export interface JudgedObjects {
  readonly problems: readonly Problem[];
  /** Kinds that neither Kubernetes nor a definition of the environment knows: `argoproj.io/v1alpha1 Rollout` -> how many objects. */
  readonly unknown: ReadonlyMap<string, number>;
}

export interface ObjectJudge {
  /** V-87: what the schemas of Kubernetes, of the minor of each target, say of its objects. */
  judge(
    environment: Pick<DesiredEnvironment, 'name' | 'targets' | 'declared'>,
    targets: readonly PreparedTarget[],
    rendered: Pick<WeakMap<Prepared, RenderedUnit>, 'get'>,
  ): Promise<JudgedObjects>;
  /** Objects that were looked at, not remembered. */
  counts(): { readonly judged: number };
}

interface Schemas {
  readonly api: KubernetesApi;
  /** The minor that the target declares is this one, or it declares none. */
  readonly isExact: boolean;
  readonly custom: CustomKinds;
  readonly customKey: string;
}

interface JudgedUnit extends JudgedObjects {
  readonly key: string;
}

/** Remembers by content: an object, a unit and a set of definitions that did not move are never looked at again. */
export function createObjectJudge(): ObjectJudge {
  const apis = new Map<string, KubernetesApi>();
  const definitions = new WeakMap<RenderedUnit, readonly RenderedObject[]>();
  const customs = createMemo<CustomKinds>(50);
  const objects = createMemo<ObjectJudgement>(100_000);
  const units = new WeakMap<RenderedUnit, JudgedUnit>();
  let judged = 0;

  async function judge(...[environment, targets, rendered]: Parameters<ObjectJudge['judge']>): Promise<JudgedObjects> {
    const all = targets.flatMap(({ items }) => items.flatMap((item) => rendered.get(item) ?? []));
    if (all.length === 0) return { problems: [], unknown: new Map() };
    const texts = await kubernetesTexts();
    const brought = bringing(all);
    const problems: Problem[] = [];
    const unknown = new Map<string, number>();
    for (const { target, items } of targets) {
      const declared = typeof target.facts['kubernetes'] === 'string' ? minorOf(target.facts['kubernetes']) : undefined;
      const minor = nearestMinor(texts, declared);
      const isExact = declared === undefined || declared === minor;
      if (!isExact) problems.push(notShipped(environment, { target: target.name, declared, minor }, texts));
      const schemas: Schemas = { api: apiOf(texts, minor), isExact, ...brought };
      for (const item of items) {
        const unit = rendered.get(item);
        if (unit === undefined) continue;
        const found = judgeUnit(schemas, item, unit);
        problems.push(...found.problems);
        for (const [kind, count] of found.unknown) unknown.set(kind, (unknown.get(kind) ?? 0) + count);
      }
    }
    return { problems, unknown };
  }

  function apiOf(texts: KubernetesTexts, minor: string): KubernetesApi {
    const known = apis.get(minor) ?? openKubernetes(texts, minor);
    apis.set(minor, known);
    return known;
  }

  function bringing(all: readonly RenderedUnit[]): Pick<Schemas, 'custom' | 'customKey'> {
    const found = new Map(all.flatMap((unit) => definitionsOf(unit)).map((object) => [object.sha256, object]));
    const customKey = sha256Of([...found.keys()].sort().join('\n'));
    const custom = customs.get(customKey) ?? customs.set(customKey, customKinds([...found.values()].map(({ object }) => object)));
    return { custom, customKey };
  }

  function definitionsOf(unit: RenderedUnit): readonly RenderedObject[] {
    const known = definitions.get(unit) ?? unit.objects.filter(({ object }) => isDefinition(object));
    definitions.set(unit, known);
    return known;
  }

  function judgeUnit(schemas: Schemas, item: Prepared, unit: RenderedUnit): JudgedUnit {
    const key = `${schemas.api.minor} ${String(schemas.isExact)} ${schemas.customKey}`;
    const known = units.get(unit);
    if (known?.key === key) return known;
    const problems: Problem[] = [];
    const unknown = new Map<string, number>();
    for (const [at, object] of unit.objects.entries()) {
      const judgement = judgementOf(schemas, object);
      if (judgement.kind === 'unknown') {
        const kind = `${object.object.apiVersion} ${object.object.kind}`;
        unknown.set(kind, (unknown.get(kind) ?? 0) + 1);
      } else problems.push(...judgement.findings.map((finding) => problemOf(item, { unit, at, isExact: schemas.isExact }, finding)));
    }
    const made = { key, problems, unknown };
    units.set(unit, made);
    return made;
  }

  function judgementOf({ api, custom, customKey }: Schemas, { object, sha256 }: RenderedObject): ObjectJudgement {
    // What definitions say matters to kinds that Kubernetes does not bring itself.
    const key = `${api.minor} ${sha256} ${isBuiltIn(api, object) ? '' : customKey}`;
    const known = objects.get(key);
    if (known !== undefined) return known;
    judged += 1;
    return objects.set(key, judgeObject(api, custom, object));
  }

  return { judge, counts: () => ({ judged }) };
}

/** A hundred kilobytes, loaded when the first object is to be judged. */
async function kubernetesTexts(): Promise<KubernetesTexts> {
  const module = await import('#model/kubernetes.generated.ts');
  return {
    sources: module.KUBERNETES_SOURCES,
    newest: module.KUBERNETES_NEWEST,
    older: module.KUBERNETES_OLDER,
    lives: module.KUBERNETES_LIVES,
  };
}

function problemOf(
  item: Prepared,
  from: { readonly unit: RenderedUnit; readonly at: number; readonly isExact: boolean },
  finding: ObjectFinding,
): Problem {
  const { pin, target, capsule } = item.unit;
  const [rendered, origin] = [from.unit.objects[from.at], from.unit.origins[from.at]];
  if (rendered === undefined || origin === undefined) throw new Error('an object of a unit has no origin');
  const { key, object } = rendered;
  const what = `${key.group === '' ? '' : `${key.group}/`}${key.kind} ${key.name}`;
  const where = finding.pointer === '' ? 'which' : `whose ${visibleText(finding.pointer, 300)}`;
  // Of a minor that is not shipped nobody here knows that it does not know something.
  const isWarning = finding.isTolerated || (finding.isOfMinor && !from.isExact);
  return {
    code: finding.code,
    rule: 'V-87',
    severity: isWarning ? 'warning' : 'error',
    phase: 'render',
    message: `${origin.source} gives ${what}, ${where} ${finding.message} (${pin.instance} ${pin.version} for ${target.environment}/${target.name})`,
    remedy: finding.remedy,
    place: placeOfPointer(capsule, { object, origin }, finding.pointer),
    related: [],
  };
}

function notShipped(
  environment: Pick<DesiredEnvironment, 'name' | 'targets' | 'declared'>,
  from: { readonly target: string; readonly declared: string | undefined; readonly minor: string },
  texts: KubernetesTexts,
): Problem {
  const declared = environment.targets.find((one) => one.name === from.target);
  const minors = texts.sources.map((source) => source.minor).join(' and ');
  return {
    code: 'kubernetes-minor-not-shipped',
    rule: undefined,
    severity: 'warning',
    phase: 'render',
    message: `target ${from.target} of ${environment.name} runs Kubernetes ${from.declared ?? '?'}; its objects are judged by ${from.minor}, because this version of Capstan knows ${minors}`,
    remedy: `Nothing to do if its objects are fine; what ${from.minor} does not know is a warning there, and the server has the last word.`,
    place: declared?.at('/facts/kubernetes') ?? { file: environment.declared.file, line: undefined, column: undefined, pointer: undefined },
    related: [],
  };
}
