import { keyText } from '#model/kubernetes-object.ts';
import { isImageMove } from '#model/rendered-diff.ts';
import type { EnvironmentDifference, ObjectDifference, TargetDifference } from '#model/rendered-diff.ts';

/** Targets that change alike, told once. */
export interface TargetGroup {
  readonly names: readonly string[];
  readonly objects: readonly ObjectDifference[];
}

export function groupsOf(targets: readonly TargetDifference[]): readonly TargetGroup[] {
  const groups = new Map<string, { readonly names: string[]; readonly objects: readonly ObjectDifference[] }>();
  for (const { name, objects } of targets) {
    const same = JSON.stringify(objects);
    const group = groups.get(same);
    if (group === undefined) groups.set(same, { names: [name], objects });
    else group.names.push(name);
  }
  return [...groups.values()];
}

export interface Counts {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly noise: number;
}

/** Over all targets; `update` counts those that are more than noise. */
export function countsOf({ targets }: Pick<EnvironmentDifference, 'targets'>): Counts {
  const objects = targets.flatMap((target) => target.objects);
  const of = (change: ObjectDifference['change'], noise: boolean): number =>
    objects.filter((object) => object.change === change && object.noise === noise).length;
  return { create: of('create', false), update: of('update', false), delete: of('delete', false), noise: of('update', true) };
}

export function countText(counts: Counts): string {
  const noise = counts.noise === 0 ? '' : `, ${counts.noise} with nothing but versions and digests`;
  return `${counts.create} created, ${counts.update} updated, ${counts.delete} deleted${noise}`;
}

/** `danger -> objects`, most telling first in each. */
export function dangersIn({ targets }: Pick<EnvironmentDifference, 'targets'>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const target of targets)
    for (const object of target.objects)
      for (const danger of object.danger) {
        const places = found.get(danger) ?? [];
        places.push(`${target.name}: ${keyText(object.key)}`);
        found.set(danger, places);
      }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface ImageMove {
  readonly from: string;
  readonly to: string;
  readonly containers: number;
}

/** Images that only got another tag or digest, each once, sorted. */
export function imageMovesIn({ targets }: Pick<EnvironmentDifference, 'targets'>): readonly ImageMove[] {
  const found = new Map<string, ImageMove>();
  for (const { objects } of targets)
    for (const { fields } of objects)
      for (const { before, after } of fields.filter(isImageMove)) {
        if (typeof before !== 'string' || typeof after !== 'string') continue;
        const key = `${before} ${after}`;
        found.set(key, { from: before, to: after, containers: (found.get(key)?.containers ?? 0) + 1 });
      }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, move]) => move);
}

/** For people: a digest cut to its first twelve digits. */
export function shortImage(image: string): string {
  return image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, '$1…');
}

export function shortDigest(digest: string | null): string {
  return digest === null ? '(none)' : digest.slice(0, 12);
}
