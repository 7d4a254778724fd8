import type { CapsulePatch } from '#model/declarations.generated.ts';
import { sha256Of } from '#model/digest.ts';
import { canonicalJson } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import type { TargetName } from '#model/names.ts';
import type { DriftedObject, FieldChange } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { adoptingPatch } from './adoption-patch.ts';
import { secretIn } from './drift-wording.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import { targetDeclaration } from './sync-rules.ts';
import type { World } from './world.ts';

/** One object that others changed and nobody corrected, on all targets where they did. */
export interface DriftFinding {
  readonly object: RenderedObject;
  readonly targets: readonly TargetName[];
  readonly changedBy: readonly string[];
  /** Undefined where they cannot be told, or are not: Secrets. */
  readonly changes: readonly FieldChange[] | undefined;
  /** Each says what git wants and what is there instead, wherever it is; more than one where it differs from target to target. */
  readonly digests: readonly string[];
  readonly adopting: { readonly kind: 'patch'; readonly patch: CapsulePatch } | { readonly kind: 'left'; readonly reason: string };
}

export interface DriftSet {
  /** By path. */
  readonly findings: readonly DriftFinding[];
  /** The same for the same drift: of all digests. */
  readonly digest: string;
}

/** What a run saw of one target. */
export interface SeenDrift {
  readonly rendering: TargetRendering;
  readonly drift: readonly DriftedObject[];
}

interface Told {
  readonly target: TargetName;
  readonly drifted: DriftedObject;
  readonly object: RenderedObject;
  readonly changes: readonly FieldChange[] | undefined;
}

/** Drift that was reported, with its fields, and how git would have to change to say the same. */
export async function findingsOf(
  world: Pick<World, 'targets'>,
  prepared: PreparedEnvironment,
  seen: readonly SeenDrift[],
  signal?: AbortSignal,
): Promise<DriftSet> {
  const told: Told[] = [];
  for (const one of seen) told.push(...(await toldOf(world, prepared, one, signal)));
  const findings = [...Map.groupBy(told, (one) => one.object.path)]
    .toSorted(([a], [b]) => compareText(a, b))
    .flatMap(([path, same]) => findingOf(prepared, path, { same, seen }));
  const digests = new Set(findings.flatMap((finding) => finding.digests));
  return { findings, digest: sha256Of([...digests].toSorted(compareText).join(' ')).slice(0, 12) };
}

async function toldOf(
  world: Pick<World, 'targets'>,
  { environment }: PreparedEnvironment,
  { rendering, drift }: SeenDrift,
  signal: AbortSignal | undefined,
): Promise<readonly Told[]> {
  const reported = new Map(drift.filter((object) => object.action === 'reported').map((object) => [object.path, object]));
  const objects = rendering.objects.filter((object) => reported.has(object.path));
  const declared = environment.targets.find((target) => target.name === rendering.target.name);
  if (objects.length === 0 || declared === undefined) return [];
  const target = await world.targets.open(environment.name, declared.name, targetDeclaration(environment, declared));
  const changes = await target.drift?.(objects, signal);
  return objects.flatMap((object) => {
    const drifted = reported.get(object.path);
    return drifted === undefined ? [] : [{ target: declared.name, drifted, object, changes: changes?.get(object.path) }];
  });
}

function findingOf(
  prepared: PreparedEnvironment,
  path: string,
  { same, seen }: { readonly same: readonly Told[]; readonly seen: readonly SeenDrift[] },
): readonly DriftFinding[] {
  const [first] = same;
  if (first === undefined) return [];
  const targets = same.map((one) => one.target);
  const everywhere = seen.filter(({ rendering }) => rendering.objects.some((object) => object.path === path));
  const changedBy = [...new Set(same.flatMap((one) => one.drifted.changedBy))].sort(compareText);
  const reason = whyLeft(prepared, same, everywhere.length);
  const patch = reason === undefined ? adoptingPatch(first.object, first.changes ?? []) : undefined;
  const adopting =
    patch === undefined
      ? { kind: 'left' as const, reason: reason ?? 'no patch of the rendered object says the same' }
      : { kind: 'patch' as const, patch };
  return [{ object: first.object, targets, changedBy, changes: first.changes, digests: [...new Set(same.map(digestOf))], adopting }];
}

/** Why git cannot say what is there by a patch of the environment. */
function whyLeft(prepared: PreparedEnvironment, same: readonly Told[], everywhere: number): string | undefined {
  const [first] = same;
  if (first === undefined) return 'nothing is known of it';
  const { object, drifted, changes } = first;
  if (same.some((one) => one.drifted.found === undefined)) return 'it was removed: to adopt that, take it out of git';
  if (object.key.kind === 'Secret' || object.sealed !== undefined) return 'values of secrets are neither shown nor written to git';
  if (changes === undefined || drifted.found === undefined) return 'what was changed in it cannot be told';
  if (changes.length === 0) return 'only the way it is written differs';
  if (same.length < everywhere) return 'it is as git says on other targets, and patches are for all targets of an environment';
  if (same.some((one) => canonicalOf(one.changes) !== canonicalOf(changes)))
    return 'it was changed otherwise on each target, and patches are for all targets of an environment';
  if (changes.some(({ path, after }) => secretIn(path, after) !== undefined)) return 'something that looks like a secret was put into it';
  const [root = object.instance] = object.instance.split('.');
  if (!Object.hasOwn(prepared.environment.declared.value.spec.capsules ?? {}, root))
    return `${root} is not named in spec.capsules of the environment`;
  const twins = prepared.rendered.rendering.targets[0]?.objects.filter(
    ({ instance, key }) =>
      instance === object.instance && key.kind === object.key.kind && key.group === object.key.group && key.name === object.key.name,
  );
  return (twins?.length ?? 0) > 1 ? 'another object of the instance has the same kind and name' : undefined;
}

function digestOf({ object, drifted, changes }: Told): string {
  const there = changes === undefined ? (drifted.found ?? null) : canonicalOf(changes);
  return sha256Of(canonicalJson([object.path, object.sha256, there])).slice(0, 16);
}

function canonicalOf(changes: readonly FieldChange[] | undefined): string {
  const rows = (changes ?? []).map(({ path, before, after }) => [
    path,
    before ?? null,
    after ?? null,
    before === undefined,
    after === undefined,
  ]);
  return canonicalJson(rows as Json);
}
