import type { DesiredState } from '#model/desired.ts';
import { placeInFile, type Place, type Problem } from '#model/problem.ts';
import type { Pin, ResolvedInstance } from '#model/resolution.ts';

interface Runs {
  /** With the capsules of the snapshot itself. */
  readonly state: DesiredState;
  readonly environment: string;
  readonly locked: readonly Pin[];
  readonly instances: readonly ResolvedInstance[];
}

/**
 * A line of a file of a release says nothing where the snapshot has other files under the same names: there such a problem names the release,
 * and the file without a line.
 */
export function ofReleases(problems: readonly Problem[], { state, environment, locked, instances }: Runs): readonly Problem[] {
  const here = new Map(state.capsules.map(({ name, gitTree }) => [name, gitTree]));
  const pins = instances.map(({ pin }) => pin);
  if (pins.every((pin) => here.get(pin.capsule) === pin.gitTree)) return problems;
  const byCapsule = Map.groupBy(pins, (pin) => `capsules/${pin.capsule}`);
  return problems.map((problem) => {
    const directory = directoryOf(problem.place.file);
    const pin = directory === undefined ? undefined : meant(byCapsule.get(directory) ?? [], problem);
    if (pin === undefined || directory === undefined || here.get(pin.capsule) === pin.gitTree) return problem;
    const runs = locked.some((one) => one.capsule === pin.capsule && one.gitTree === pin.gitTree);
    return {
      ...problem,
      message: `${pin.capsule}@${pin.version}, which ${environment} ${runs ? 'runs' : 'would run'}: ${problem.message}`,
      place: withoutLine(problem.place),
      related: problem.related.map((one) => (directoryOf(one.file) === directory ? { ...one, line: undefined } : one)),
    };
  });
}

/** Of several versions of one capsule the one that the words name; undefined where they name none. */
function meant(pins: readonly Pin[], { message }: Problem): Pin | undefined {
  const [first] = pins;
  if (pins.every((pin) => pin.gitTree === first?.gitTree)) return first;
  const named = pins.filter((pin) => message.includes(`(${pin.instance} ${pin.version} `));
  return named.length === 1 ? named[0] : undefined;
}

function directoryOf(file: string | undefined): string | undefined {
  return file === undefined ? undefined : /^capsules\/[^/]+(?=\/)/u.exec(file)?.[0];
}

function withoutLine(place: Place): Place {
  return place.file === undefined ? place : placeInFile(place.file);
}
