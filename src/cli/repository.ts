import { overlay } from '#loops/overlay.ts';
import type { Snapshot } from '#loops/reading.ts';
import type { ReadingWorld } from '#loops/world.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { didYouMean } from '#model/suggest.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { UsageError } from './exit-code.ts';
import type { OpenedWorld, Place } from './powers.ts';

export function placeOf(options: Invocation['options']): Place {
  const { repo, config, kubeconfig } = options as Readonly<Record<string, string | undefined>>;
  return { repo, config, kubeconfig };
}

/** Steps of `main~3` that are walked; more is a mistake. */
const STEPS = 10_000;

/** A commit of the repository by branch, tag or id, with `~N` or `^` for its first parents; or a clear error. */
export async function commitOf(world: OpenedWorld, revision: string): Promise<CommitId> {
  const [, name = revision, suffix = ''] = /^(.+?)((?:~\d{0,5}|\^1?)*)$/.exec(revision) ?? [];
  const start = await world.repository.resolve(name);
  if (start === undefined) throw new PortError('missing', `${world.path} has no commit, branch or tag "${name}"`);
  const steps = (suffix.match(/~\d*|\^1?/g) ?? []).reduce((sum, part) => sum + (/^~\d/.test(part) ? Number(part.slice(1)) : 1), 0);
  if (steps === 0) return start;
  const found = steps > STEPS ? undefined : (await world.repository.firstParents(start, undefined, steps + 1))[steps];
  if (found === undefined) throw new PortError('missing', `${revision} goes back further than the history of "${name}"`);
  return found;
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

/** The environments a command was asked for, or an error that lists what there is. */
export function chooseEnvironments(
  environments: readonly DesiredEnvironment[],
  words: readonly string[],
  all: boolean,
): readonly DesiredEnvironment[] {
  const names = environments.map((item) => item.name);
  const known = names.join(', ') || 'none';
  if (words.length === 0 && !all) throw new UsageError(`name an environment, or use --all (known: ${known})`);
  if (all) return environments;
  return words.map((word) => {
    const found = environments.find((item) => item.name === word);
    if (found === undefined)
      throw new PortError('missing', `there is no environment "${word}" (known: ${known})${didYouMean(word, names)}`);
    return found;
  });
}
