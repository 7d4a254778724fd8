import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';

import type { Sha256 } from '#model/digest.ts';
import type { Outcome, Step } from '#model/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import type { PortError } from '#ports/port-error.ts';
import { isPlain, makePlain, OWN_FOLDER, STAGING } from './below.ts';
import type { Digests } from './digests.ts';
import { codeOf } from './disk.ts';
import type { Disk } from './disk.ts';
import { diskFailure } from './failures.ts';
import { movedProblem, sealedProblem, writeProblem } from './outcome-problems.ts';
import type { UnsealedSteps } from './unsealed.ts';

export interface Directory {
  readonly base: string;
  readonly disk: Disk;
  readonly digests: Digests;
  /** What sealed steps of this run put down. */
  readonly opened: UnsealedSteps;
}

export type WritingStep = Extract<Step, { readonly text: string }>;
export type PruneStep = Extract<Step, { readonly action: 'prune' }>;
/** Where the new bytes wait; undefined when they are already in place. */
export type Staged = string | undefined | PortError;

/** The bytes of a step on disk, under a name nobody looks at; a failure is kept until the step's turn. */
export async function stageText(directory: Directory, step: WritingStep): Promise<Staged> {
  if (step.basis === step.sha256) return undefined;
  const opened = directory.opened.get(step.path);
  if (isPortError(opened)) return opened;
  const file = join(directory.base, OWN_FOLDER, STAGING, randomUUID());
  try {
    await directory.disk.writeNew(file, opened === undefined ? step.text : opened.text());
    return file;
  } catch (error) {
    return diskFailure(error, `writing ${step.path}`);
  }
}

export async function placeObject(directory: Directory, step: WritingStep, staged: Staged): Promise<Outcome> {
  const file = join(directory.base, step.path);
  try {
    if (isPortError(staged))
      return outcome(step, 'failed', staged === directory.opened.get(step.path) ? sealedProblem(step, staged) : writeProblem(step, staged));
    await makePlain(directory.disk, directory.base, [dirname(step.path)]);
    const found = await directory.digests.of(file);
    if (found === step.sha256 || staged === undefined) {
      if (staged !== undefined) await directory.disk.remove(staged);
      if (found !== step.sha256) return outcome(step, 'refused', movedProblem(step, found));
    } else if (found !== step.basis) {
      await directory.disk.remove(staged);
      return outcome(step, 'refused', movedProblem(step, found));
    } else if (found === undefined) {
      // A link fails where a rename would replace: a file that appears in between is not overwritten.
      await directory.disk.link(staged, file);
      await directory.disk.remove(staged);
    } else {
      await directory.disk.rename(staged, file);
    }
    return await leaveOldPaths(directory, step);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return outcome(step, 'refused', movedProblem(step, undefined));
    return outcome(step, 'failed', writeProblem(step, diskFailure(error, `writing ${step.path}`)));
  }
}

async function leaveOldPaths(directory: Directory, step: WritingStep): Promise<Outcome> {
  for (const left of step.leaves) {
    if ((await removeIfBasis(directory, left.path, left.basis)) === 'moved') return outcome(step, 'refused', movedProblem(step, undefined));
  }
  return outcome(step, 'done');
}

export async function pruneObject(directory: Directory, step: PruneStep): Promise<Outcome> {
  try {
    const became = await removeIfBasis(directory, step.path, step.basis);
    return became === 'moved' ? outcome(step, 'refused', movedProblem(step, undefined)) : outcome(step, became);
  } catch (error) {
    return outcome(step, 'failed', writeProblem(step, diskFailure(error, `removing ${step.path}`)));
  }
}

async function removeIfBasis(directory: Directory, path: string, basis: Sha256): Promise<'done' | 'unchanged' | 'moved'> {
  const plain = await isPlain(directory.base, [dirname(path)]);
  if (plain !== true) return plain === undefined ? 'unchanged' : 'moved';
  const found = await directory.digests.of(join(directory.base, path));
  if (found === undefined) return 'unchanged';
  if (found !== basis) return 'moved';
  await directory.disk.remove(join(directory.base, path));
  return 'done';
}

export function outcome(step: Step, result: Outcome['result'], problem?: Outcome['problem']): Outcome {
  return { action: step.action, key: step.key, result, problem };
}
