import { overlay } from '#loops/overlay.ts';
import type { Snapshot } from '#loops/reading.ts';
import type { ReadingWorld } from '#loops/world.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { UsageError } from './exit-code.ts';
import type { OpenedWorld, Place } from './powers.ts';

export function placeOf(options: Invocation['options']): Place {
  return { repo: options.repo as string | undefined, config: options.config as string | undefined };
}

/** A commit of the repository by name, or a clear error. */
export async function commitOf(world: OpenedWorld, revision: string): Promise<CommitId> {
  const commit = await world.repository.resolve(revision);
  if (commit === undefined) throw new PortError('missing', `${world.path} has no commit or branch "${revision}"`);
  return commit;
}

/** The head of the default branch, or of HEAD where that branch is not there. */
export async function headOf(world: OpenedWorld): Promise<CommitId> {
  const head = (await world.repository.resolve(world.settings.branch)) ?? (await world.repository.resolve('HEAD'));
  if (head === undefined) throw new PortError('missing', `${world.path} has no commit yet`);
  return head;
}

/** What a reading command looks at: a commit if one is named, else the working directory, else the default branch. */
export async function snapshotOf(
  world: OpenedWorld,
  revision: string | undefined,
): Promise<{ readonly world: ReadingWorld; readonly snapshot: Snapshot }> {
  if (revision !== undefined) return { world, snapshot: await world.reading.at(await commitOf(world, revision)) };
  if (world.workingDirectory === undefined) return { world, snapshot: await world.reading.at(await headOf(world)) };
  const { tree, reader } = await world.workingDirectory.snapshot();
  return { world: overlay(world, reader), snapshot: { tree, commit: undefined } };
}

/** The environments a command was asked for, or a usage error that lists what there is. */
export function chooseEnvironments(
  environments: readonly DesiredEnvironment[],
  words: readonly string[],
  all: boolean,
): readonly DesiredEnvironment[] {
  const known = environments.map((item) => item.name).join(', ') || 'none';
  if (words.length === 0 && !all) throw new UsageError(`name an environment, or use --all (known: ${known})`);
  if (all) return environments;
  return words.map((word) => {
    const found = environments.find((item) => item.name === word);
    if (found === undefined) throw new UsageError(`there is no environment "${word}" (known: ${known})`);
    return found;
  });
}
