import { isName } from '#model/names.ts';
import { placeInFile, type Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { documentPath } from './documents.ts';
import { problemOf } from './finding.ts';

const ENVIRONMENT = /^environments\/([^/]+)\.ya?ml$/;
/** Encrypted files; nothing is declared in them. */
const SECRET = /^environments\/[^/]+\/secrets\/[^/]+$/;
const YAML = /^(?:environments|policies)\/.+\.ya?ml$/;

/** YAML below environments/ and policies/ that is in no place where anything is read. Never an error: such files are nobody's business. */
export function misplacedFiles(paths: readonly string[]): readonly Problem[] {
  return paths
    .filter((path) => YAML.test(path) && !SECRET.test(path) && documentPath(path) === undefined)
    .map((path) => misplaced(path, `${visibleText(path, 300)} is not read: no declaration is looked for there`, whereTo(path)));
}

/** A directory below capsules/ that is no capsule. */
export function notACapsule(directory: string, paths: readonly string[]): Problem {
  const name = directory.slice('capsules/'.length);
  const shown = visibleText(directory, 300);
  if (!isName(name)) {
    const remedy = 'Rename it: lower-case letters, digits and hyphens, at most 40 characters.';
    return misplaced(directory, `${shown} is not read: its name cannot be the name of a capsule`, remedy);
  }
  const near = paths.find((path) => /(^|\/)capsule\.ya?ml$/i.test(path));
  const remedy =
    near === undefined
      ? `Write ${shown}/capsule.yaml, or move the directory elsewhere.`
      : `Rename ${visibleText(near, 300)} to ${shown}/capsule.yaml.`;
  return misplaced(directory, `${shown} is not read: it has no capsule.yaml`, remedy);
}

function whereTo(path: string): string {
  const environment = ENVIRONMENT.exec(path)?.[1];
  if (environment !== undefined && isName(environment))
    return `Move it to environments/${environment}/environment.yaml if it declares an environment.`;
  if (path.startsWith('policies/')) return 'Move it to policies/ itself if it is a policy.';
  return 'An environment has environment.yaml and the folders targets, config, fleets, devices and secrets, each with files in it and no folders.';
}

function misplaced(path: string, message: string, remedy: string): Problem {
  return problemOf({ code: 'not-read', severity: 'warning', place: placeInFile(visibleText(path, 300)), message, remedy });
}
