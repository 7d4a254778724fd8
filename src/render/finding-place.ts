import { type Json, pointerKeys, valueAt } from '#model/json.ts';
import { placeInKubernetesYaml } from '#model/kubernetes-yaml-place.ts';
import type { Place } from '#model/problem.ts';
import type { ObjectOrigin, RenderedObject, RenderUnit } from '#model/rendering.ts';
import { textOf } from './template.ts';

/** Where to look for what is at `pointer` of an object: the patch that put it there, the line of its manifest or template, its component. */
export function placeOfPointer(
  capsule: RenderUnit['capsule'],
  from: { readonly object: RenderedObject['object']; readonly origin: ObjectOrigin },
  pointer: string,
): Place {
  const { origin } = from;
  const patch = origin.patches.findLast((one) => isWithin(pointer, one.pointer));
  if (patch !== undefined) return patch.place;
  const { place } = origin;
  if (place.file === `${capsule.directory}/capsule.yaml`) return fieldOfComponent(capsule, place, pointer);
  const path = place.file?.startsWith(`${capsule.directory}/`) === true ? place.file.slice(capsule.directory.length + 1) : undefined;
  const text = path === undefined ? undefined : textOf(capsule.files.get(path));
  if (place.file === undefined || path === undefined || text === undefined) return place;
  if (!path.endsWith('.hbs')) return placeInKubernetesYaml(text, place, pointer);
  const line = templateLine(text, from.object.kind, pointerKeys(pointer));
  return line === undefined ? place : { ...place, line };
}

/** What of a component most likely gave what stands at a pointer of its workload. */
const FIELDS: readonly (readonly [RegExp, string])[] = [
  [/\/containers\/\d+\/(image|command|args|env|ports|resources)(?:\/|$)/, ''],
  [/\/(?:startup|liveness|readiness)Probe/, 'probes'],
  [/\/volume(?:Mount|Claim|s)/, 'volumes'],
  [/\/securityContext|\/serviceAccount/, 'security'],
  [/\/replicas$|HorizontalPodAutoscaler/, 'scaling'],
  [/\/(?:affinity|nodeSelector)(?:\/|$)/, 'placement'],
  [/\/(?:lifecycle|terminationGracePeriodSeconds)(?:\/|$)/, 'stop'],
  [/^\/spec\/(?:schedule|timeZone|concurrencyPolicy)$/, 'schedule'],
];

function fieldOfComponent({ declaration }: RenderUnit['capsule'], place: Place, pointer: string): Place {
  for (const [pattern, name] of FIELDS) {
    const match = pattern.exec(pointer);
    const field = match === null ? undefined : `${place.pointer ?? ''}/${name === '' ? (match[1] ?? '') : name}`;
    if (field !== undefined && valueAt(declaration as unknown as Json, field) !== undefined) return { ...place, pointer: field };
  }
  return place;
}

/** What an operation touched holds what is below it; an operation at the end of a list (`/-`) what is in the list. */
function isWithin(pointer: string, touched: string): boolean {
  const path = touched.replace(/\/-$/, '');
  return path === '' || pointer === path || pointer.startsWith(`${path}/`);
}

/**
 * The line of a template that probably gave the field: its keys one after the other, in the part of the file that has the kind.
 * Undefined when the names do not stand there as they are.
 */
function templateLine(text: string, kind: string, keys: readonly string[]): number | undefined {
  const lines = text.split('\n');
  let at = Math.max(0, startOf(lines, kind));
  let found: number | undefined;
  for (const key of keys) {
    if (/^\d+$/.test(key)) continue;
    const next = lines.findIndex((line, index) => index >= at && keyOf(line) === key);
    if (next < 0) break;
    found = next + 1;
    at = next;
  }
  return found;
}

function startOf(lines: readonly string[], kind: string): number {
  const at = lines.findIndex(
    (line) =>
      keyOf(line) === 'kind' &&
      line
        .slice(line.indexOf(':') + 1)
        .trim()
        .replaceAll(/["']/g, '') === kind,
  );
  return lines.slice(0, at + 1).findLastIndex((line) => line.startsWith('---'));
}

function keyOf(line: string): string | undefined {
  return /^\s*(?:- +)*["']?([^\s"':#]+)["']?\s*:(?:\s|$)/.exec(line)?.[1];
}
