import type { Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { problemOf } from './finding.ts';

const SPECIAL: Readonly<Record<string, string>> = {
  '120000': 'is a symbolic link',
  '160000': 'is a submodule',
  special: 'is a special file',
};
const MODE = /^[0-7]{1,12}$/;

/** Something that is no regular file, at its place: by its mode, or by what is wrong with it. */
export function irregular(path: string, modeOrWords: string): Problem {
  const isMode = Object.hasOwn(SPECIAL, modeOrWords) || MODE.test(modeOrWords);
  const what = isMode ? (SPECIAL[modeOrWords] ?? `is a file of mode ${modeOrWords}`) : modeOrWords;
  if (path.startsWith('capsules/')) return capsuleFileProblem(path, isMode ? `${what}; capsules may contain regular files only` : what);
  const shown = visibleText(path, 300);
  return problemOf({
    code: 'declaration-not-regular',
    place: { file: shown, line: undefined, column: undefined, pointer: undefined },
    message: `${shown} ${isMode ? `${what}; declarations are regular files` : what}`,
    remedy: 'Replace it by a regular file with a plain name, or take it out.',
  });
}

/** V-10 */
export function capsuleFileProblem(path: string, what: string): Problem {
  const shown = visibleText(path, 300);
  return problemOf({
    code: 'capsule-file-not-regular',
    rule: 'V-10',
    place: { file: shown, line: undefined, column: undefined, pointer: undefined },
    message: `${shown} ${what}`,
    remedy: 'Replace it by a regular file with a plain name, or take it out of the capsule.',
  });
}
