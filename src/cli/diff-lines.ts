import { imageMovesIn, shortImage } from '#model/difference-summary.ts';
import type { FieldDifference } from '#model/field-change.ts';
import { valueText } from '#model/field-lines.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { EnvironmentDifference, InstanceMove, ObjectDifference } from '#model/rendered-diff.ts';
import { countOf, printable } from './output.ts';

export function moveText({ instance, capsule, from, to }: InstanceMove): string {
  const name = instance === capsule ? instance : `${instance} (${capsule})`;
  if (to === null) return `${name} ${from?.version ?? ''} leaves`;
  if (from === null) return `${name} ${to.version} arrives`;
  return from.version === to.version ? `${name} ${to.version}, other content` : `${name} ${from.version} -> ${to.version}`;
}

export function lockText({ field, before, after }: FieldDifference): string {
  return `lock: ${printable(field)}: ${valueText(before)} -> ${valueText(after)}`;
}

/** Images that only got another tag or digest, each told once with the number of containers. */
export function imageMoves(environment: EnvironmentDifference): readonly string[] {
  return imageMovesIn(environment)
    .map(({ from, to, containers }) => `image: ${imageText(from)} -> ${imageText(to)} (${countOf(containers, 'container')})`)
    .sort();
}

function imageText(image: string): string {
  return printable(shortImage(image));
}

const SIGN = { create: '+', update: '~', delete: '-' } as const;

export function objectHead(object: ObjectDifference): string {
  const danger = object.danger.length === 0 ? '' : `  [${object.danger.join(', ')}]`;
  return `${SIGN[object.change]} ${printable(keyText(object.key))}${danger}`;
}
