import { countText, countsOf, groupsOf, shortDigest } from '#model/difference-summary.ts';
import { fieldLines } from '#model/field-lines.ts';
import type { EnvironmentDifference } from '#model/rendered-diff.ts';
import { imageMoves, lockText, moveText, objectHead } from './diff-lines.ts';

/** For a terminal: by environment and target, targets that change alike told once, every field that is more than noise. */
export function differenceText(environments: readonly EnvironmentDifference[]): string {
  return environments.map((environment) => `${environmentLines(environment).join('\n')}\n`).join('');
}

function environmentLines(environment: EnvironmentDifference): readonly string[] {
  const { name, digest, moves, lock, targets } = environment;
  const digests =
    digest.base === digest.head
      ? 'the rendering stays'
      : `${shortDigest(digest.base)} -> ${shortDigest(digest.head)}, ${countText(countsOf(environment))}`;
  return [
    `${name}: ${digests}`,
    ...[...moves.map(moveText), ...lock.map(lockText), ...imageMoves(environment)].map((line) => `  ${line}`),
    ...groupsOf(targets).flatMap(({ names, objects }) => [
      `  ${names.join(', ')}`,
      ...objects.flatMap((object) => [
        `    ${objectHead(object)}${object.noise ? '  (only versions and digests)' : ''}`,
        ...(object.noise ? [] : fieldLines(object, Infinity).map((line) => `        ${line}`)),
      ]),
    ]),
  ];
}
