import type { DesiredEnvironment } from '#model/desired.ts';
import { toCapsuleName } from '#model/names.ts';
import { placeInFile, type Place, type Problem } from '#model/problem.ts';
import type { Pin, Release, ReleasedCapsule, ReleaseIndex } from '#model/resolution.ts';

type Rule = { readonly code: string; readonly rule: string };
const EDITED: Rule = { code: 'lock-edited', rule: 'V-46' };
const INCOMPLETE: Rule = { code: 'lock-incomplete', rule: 'V-47' };
const CONTENT: Rule = { code: 'lock-content-mismatch', rule: 'V-48' };
const UNREACHABLE: Rule = { code: 'lock-commit-unreachable', rule: 'V-49' };

/** What the loop knows beside the lock; what is undefined is not judged. */
export interface LockFacts {
  readonly index: ReleaseIndex | undefined;
  readonly loaded: (release: Release) => ReleasedCapsule | undefined;
  /** What resolving again with this lock preferred gives; undefined when it could not be resolved (that is a problem of its own). */
  readonly expected: readonly Pin[] | undefined;
  /** The lock as the engine would write it, and as it is. */
  readonly text: { readonly actual: string; readonly expected: string } | undefined;
  /** Whether a commit lies on the default or a release branch. */
  readonly reachable: (commit: string) => boolean | undefined;
}

/** V-46 to V-49. */
export function lockProblems(environment: DesiredEnvironment, facts: LockFacts): readonly Problem[] {
  const { lock, name } = environment;
  const file = lock?.file ?? `environments/${name}/environment.lock.yaml`;
  if (lock === undefined) {
    const message = `environment ${name} has no lock`;
    return [problem(INCOMPLETE, placeInFile(file), message, `Run capstan lock ${name}.`)];
  }
  const problems: Problem[] = [];
  const expected = facts.expected && new Map(facts.expected.map((pin) => [String(pin.instance), pin]));
  for (const [instance, entry] of Object.entries(lock.value.capsules)) {
    const at = (field: string): Place => lock.at(`/capsules/${instance}${field}`);
    const pin = expected?.get(instance);
    if (expected !== undefined && pin === undefined) {
      const message = `lock of ${name} has ${instance}, which nothing requests`;
      problems.push(problem(INCOMPLETE, at(''), message, `Run capstan lock ${name}.`));
      continue;
    }
    const content = contentProblem(entry, facts, at);
    if (content !== undefined) problems.push(content);
    else if (pin !== undefined) problems.push(...edits(entry, pin, at));
  }
  for (const pin of facts.expected ?? []) {
    if (Object.hasOwn(lock.value.capsules, pin.instance)) continue;
    const who = pin.requestedBy.join(', ');
    const message = `lock of ${name} misses ${pin.instance} required by ${who === 'environment' ? `environment ${name}` : who}`;
    problems.push(problem(INCOMPLETE, lock.at('/capsules'), message, `Run capstan lock ${name}.`));
  }
  if (problems.length === 0 && facts.text !== undefined && facts.text.actual !== facts.text.expected) {
    const line = firstDifference(facts.text.actual, facts.text.expected);
    const place: Place = { file, line, column: 1, pointer: undefined };
    const message = `environment.lock.yaml was edited by hand: line ${line} is not what the engine would write`;
    problems.push(problem(EDITED, place, message, `Run capstan lock ${name}.`));
  }
  return problems;
}

type Entry = NonNullable<DesiredEnvironment['lock']>['value']['capsules'][string];

function contentProblem(entry: Entry, facts: LockFacts, at: (field: string) => Place): Problem | undefined {
  const { capsule, version, commit, gitTree, sha256 } = entry;
  const release = facts.index?.releases.get(toCapsuleName(capsule))?.get(version);
  if (facts.index === undefined) return undefined;
  const remedy = 'Run capstan lock, or restore the entry from history.';
  if (release === undefined) {
    // What needs it says already that it is not here.
    if (isAbsentImport(facts.index, commit)) return undefined;
    if (facts.reachable(commit) === false) return unreachable(entry, facts, at);
    const message = `lock says ${capsule}@${version} = tree ${gitTree}; history has no release ${version} of ${capsule}`;
    return problem(CONTENT, at('/version'), message, remedy);
  }
  if (release.gitTree !== gitTree) {
    const message = `lock says ${capsule}@${version} = tree ${gitTree}; commit ${release.commit} has ${release.gitTree}`;
    return problem(CONTENT, at('/gitTree'), message, remedy);
  }
  const content = facts.loaded(release)?.sha256;
  if (content !== undefined && content !== sha256) {
    const message = `lock says ${capsule}@${version} = sha256 ${sha256}; sha256 mismatch; the git tree matches but the content digest does not (${content})`;
    return problem(CONTENT, at('/sha256'), message, remedy);
  }
  return release.commit !== commit && facts.reachable(commit) === false ? unreachable(entry, facts, at) : undefined;
}

function isAbsentImport(index: ReleaseIndex, commit: string): boolean {
  for (const [key, found] of index.imports ?? []) if (found.kind !== 'here' && key.startsWith(`${commit} `)) return true;
  return false;
}

function unreachable(entry: Entry, facts: LockFacts, at: (field: string) => Place): Problem {
  const branches = [...(facts.index?.tips.keys() ?? [])].join(', ') || 'the default branch';
  const message = `commit ${entry.commit} of ${entry.capsule}@${entry.version} is not on ${branches}`;
  return problem(UNREACHABLE, at('/commit'), message, 'Release the version on the default or a release branch, then run capstan lock.');
}

function edits(entry: Entry, pin: Pin, at: (field: string) => Place): readonly Problem[] {
  const compared = [
    ['/capsule', entry.capsule, pin.capsule],
    ['/version', entry.version, pin.version],
    ['/commit', entry.commit, pin.commit],
    ['/gitTree', entry.gitTree, pin.gitTree],
    ['/sha256', entry.sha256, pin.sha256],
    ['/requestedBy', entry.requestedBy.join(', '), pin.requestedBy.join(', ')],
  ] as const;
  const wrong = compared.filter(([, is, expected]) => is !== String(expected));
  // A version that resolution would not keep makes the other fields differ, too: one cause, one problem.
  const shown = wrong.some(([field]) => field === '/version') ? wrong.filter(([field]) => field === '/version') : wrong;
  return shown.map(([field, is, expected]) => {
    const place = at(field);
    const pointer = place.pointer ?? field;
    const message = `environment.lock.yaml was edited by hand: ${pointer} is ${is}, expected ${String(expected)}`;
    return problem(EDITED, place, message, 'Run capstan lock to write what the engine would write.');
  });
}

function firstDifference(actual: string, expected: string): number {
  const a = actual.split('\n');
  const b = expected.split('\n');
  const at = a.findIndex((line, index) => line !== b[index]);
  return (at < 0 ? a.length : at) + 1;
}

function problem({ code, rule }: Rule, place: Place, message: string, remedy: string): Problem {
  return { code, rule, severity: 'error', phase: 'validate', message, remedy, place, related: [] };
}
