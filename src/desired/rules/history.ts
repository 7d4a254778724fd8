import type { CapsuleHistory, CapsuleObservation, RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import { NOWHERE, type Place, placeInFile, type Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { compareVersions, isVersion } from '#model/version.ts';

/** V-06 to V-09: what history says of versions. A shallow clone gets one error and no rule. */
export function historyProblems(context: RuleContext): readonly Problem[] {
  const { history } = context.facts;
  if (history === undefined) return [];
  if (history.kind === 'shallow') return [shallowProblem()];
  return history.capsules.flatMap((capsule) => {
    const known = context.capsules.get(capsule.capsule);
    const place = known?.declared.at('/metadata/version') ?? placeInFile(`capsules/${capsule.capsule}/capsule.yaml`);
    return capsuleProblems(capsule, { place, branch: history.branch });
  });
}

interface Where {
  readonly place: Place;
  readonly branch: string;
}

function capsuleProblems(history: CapsuleHistory, where: Where): readonly Problem[] {
  const released = new Map<string, CapsuleObservation>();
  const problems: Problem[] = [...equalProblems(history, where)];
  const last = history.observations.length - 1;
  for (const [index, here] of history.observations.entries()) {
    const first = released.get(here.version);
    if (first === undefined) released.set(here.version, here);
    const returned = first !== undefined && first.gitTree === here.gitTree;
    if (first !== undefined && !returned) {
      problems.push(
        index === last ? changedProblem(history, { first, here, index }, where) : rewrittenProblem(history, { first, here, index }, where),
      );
    }
    const before = history.observations[index - 1];
    if (before === undefined || index < history.newFrom || returned) continue;
    if (isVersion(before.version) && isVersion(here.version) && compareVersions(here.version, before.version) < 0) {
      problems.push(lowerProblem(history, { first: before, here }, where));
    }
  }
  return problems;
}

interface Step {
  readonly first: CapsuleObservation;
  readonly here: CapsuleObservation;
}

interface Numbered extends Step {
  readonly index: number;
}

const BRING_BACK = 'Bring the released content back in a new commit, then release the change under a new version.';

/** V-06: two versions that order equally, which only build metadata can bring about. */
function equalProblems(history: CapsuleHistory, where: Where): readonly Problem[] {
  const texts = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { version } of history.observations) {
    const plain = version.split('+')[0] ?? version;
    const before = texts.get(plain);
    if (before === undefined) texts.set(plain, version);
    else if (before !== version && isVersion(plain)) {
      problems.push(
        problemOf({
          code: 'versions-equal',
          rule: 'V-06',
          place: where.place,
          message: `versions ${visibleText(before)} and ${visibleText(version)} of ${history.capsule} have equal precedence`,
          remedy: 'Release under a version that differs in more than build metadata.',
        }),
      );
    }
  }
  return problems;
}

/** V-07: the state at hand differs from what was released under its version. On the branch itself a higher version no longer mends that. */
function changedProblem(history: CapsuleHistory, step: Numbered, where: Where): Problem {
  const { first, here } = step;
  const since = first.commit === undefined ? 'its release' : first.commit.slice(0, 12);
  const isMerged = step.index < history.merged;
  return problemOf({
    code: 'changed-without-bump',
    rule: 'V-07',
    place: where.place,
    message:
      `content of ${history.capsule} changed since ${since} (tree ${first.gitTree.slice(0, 12)}→${here.gitTree.slice(0, 12)}) ` +
      `but version is still ${visibleText(here.version)}; bump metadata.version`,
    remedy: isMerged ? BRING_BACK : 'Raise metadata.version, or take the change back.',
  });
}

/** V-08. */
function lowerProblem(history: CapsuleHistory, step: Step, where: Where): Problem {
  return problemOf({
    code: 'version-decreases',
    rule: 'V-08',
    place: where.place,
    message:
      `${history.capsule} goes from ${step.first.version} to ${step.here.version}; ` +
      `versions on ${visibleText(where.branch)} must increase (use a release branch for backports)`,
    remedy: 'Choose a higher version, or release on a release branch.',
  });
}

/**
 * V-09: an earlier commit changed a released version. Only a warning once a later one took the change back, and while it stands on no more than
 * a branch: whether main will ever see that commit by itself depends on how the branch is merged.
 */
function rewrittenProblem(history: CapsuleHistory, step: Numbered, where: Where): Problem {
  const { first, here } = step;
  const later = history.observations.slice(step.index + 1);
  const mended = later.some((one) => one.version === first.version && one.gitTree === first.gitTree);
  const isAhead = step.index >= history.merged;
  const branch = visibleText(where.branch);
  return problemOf({
    code: 'release-rewritten',
    rule: 'V-09',
    severity: mended || isAhead ? 'warning' : 'error',
    phase: 'resolve',
    place: where.place,
    message:
      `${history.capsule}@${visibleText(first.version)} was released at ${first.commit ?? 'HEAD'} with tree ${first.gitTree}; ` +
      `${here.commit ?? 'the working directory'} changes it to ${here.gitTree}` +
      (mended ? ', and a later commit took it back' : isAhead ? `, which is not on ${branch} yet` : ''),
    remedy: mended
      ? 'Nothing; raise the version next time.'
      : isAhead
        ? `Merge with a merge commit or a squash; commit by commit (rebase, fast forward) it would be an error on ${branch}.`
        : BRING_BACK,
  });
}

function shallowProblem(): Problem {
  return problemOf({
    code: 'shallow-history',
    place: NOWHERE,
    message: 'the history of this clone is cut off (shallow), so versions cannot be checked against it',
    remedy: 'Fetch all of it: git fetch --unshallow (in a workflow: fetch-depth: 0).',
  });
}
