import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import { NOWHERE, placeInFile, type Problem } from '#model/problem.ts';
import { listed } from '#model/quoted.ts';

/** Where GitHub looks, in its order. */
export const CODE_OWNER_PATHS: readonly string[] = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

/** V-86, the part that git holds: somebody answers for the policies and for each environment of risk high or more. */
export function codeOwnerProblems({ facts, state }: RuleContext): readonly Problem[] {
  if (facts.codeOwners === undefined) return [];
  const isRisky = state.environments.some(({ declared }) => ['high', 'critical'].includes(declared.value.spec.risk));
  // A small repository that nobody reviews yet needs no such file.
  if (facts.codeOwners.path === undefined && !isRisky) return [];
  const guarded = [
    ...(state.policies.length > 0 ? [{ path: 'policies/', sample: 'policies/a.yaml' }] : []),
    ...state.environments
      .filter(({ declared }) => declared.value.spec.risk === 'high' || declared.value.spec.risk === 'critical')
      .map(({ name }) => ({ path: `environments/${name}/`, sample: `environments/${name}/environment.yaml` })),
  ];
  const { path, text } = facts.codeOwners;
  const lines = text === undefined ? [] : ownerLines(text);
  const open = guarded.filter(({ sample }) => (lines.findLast((line) => covers(line.pattern, sample))?.owners.length ?? 0) === 0);
  if (open.length === 0) return [];
  const paths = listed(open.map((one) => one.path));
  return [
    problemOf({
      code: 'code-owners-missing',
      rule: 'V-86',
      severity: 'warning',
      place: path === undefined ? NOWHERE : placeInFile(path),
      message:
        path === undefined
          ? `there is no CODEOWNERS file, so nobody has to look at changes of ${paths}`
          : `${path} names no owner of ${paths}`,
      remedy: `Add a line such as \`/${open[0]?.path ?? ''} @org/team\` to ${path ?? '.github/CODEOWNERS'}, and require reviews of code owners on the forge.`,
    }),
  ];
}

interface OwnerLine {
  readonly pattern: string;
  readonly owners: readonly string[];
}

const MOST_LINES = 10_000;

function ownerLines(text: string): readonly OwnerLine[] {
  return text
    .split(/\r?\n/)
    .slice(0, MOST_LINES)
    .flatMap((line) => {
      const comment = line.search(/(?<=^|\s)#/);
      const [pattern, ...owners] = (comment < 0 ? line : line.slice(0, comment)).trim().split(/\s+/);
      return pattern === undefined || pattern === '' ? [] : [{ pattern, owners: owners.filter((owner) => owner.includes('@')) }];
    });
}

/** The patterns of .gitignore without `!` and `[ ]`, as CODEOWNERS has them. Walks both texts at once: no pattern makes it slow. */
function covers(pattern: string, path: string): boolean {
  if (pattern.startsWith('!') || pattern.includes('[')) return false;
  const isAnchored = pattern.replace(/\/$/, '').includes('/');
  const parts = pattern.replace(/^\//, '').split('/');
  const isFolder = parts.at(-1) === '';
  if (isFolder) parts.pop();
  const wanted = isAnchored ? parts : ['**', ...parts];
  const names = path.split('/');
  // A folder covers what is in it; so does the name of one. `docs/*` means the files of one level only.
  for (let length = isFolder ? names.length - 1 : names.length; length > 0; length -= 1) {
    if (length < names.length && !isFolder && parts.at(-1) === '*') break;
    if (fits(wanted, names.slice(0, length))) return true;
  }
  return false;
}

function fits(parts: readonly string[], names: readonly string[]): boolean {
  // reached[n]: the parts so far can have taken the first n names.
  let reached = names.map(() => false);
  reached = [true, ...reached];
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (part === '**') {
      const first = reached.indexOf(true);
      // At the end it takes at least one name.
      reached = reached.map((_, at) => first >= 0 && at >= first + (isLast ? 1 : 0));
    } else reached = reached.map((_, at) => at > 0 && reached[at - 1] === true && fitsName(part, names[at - 1] ?? ''));
  }
  return reached.at(-1) === true;
}

/** `*` is any text, `?` one character. */
function fitsName(part: string, name: string): boolean {
  let reached = [true, ...Array.from(name, () => false)];
  for (const character of part) {
    if (character === '*') {
      const first = reached.indexOf(true);
      reached = reached.map((_, at) => first >= 0 && at >= first);
    } else reached = reached.map((_, at) => at > 0 && reached[at - 1] === true && (character === '?' || character === name[at - 1]));
  }
  return reached.at(-1) === true;
}
