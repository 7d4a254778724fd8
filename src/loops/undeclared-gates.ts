import { capsuleNotHonoured, notHonoured } from '#desired/desired.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Declarations, LoadedCapsule } from './reading.ts';

type NotHonoured = ReturnType<typeof notHonoured>[number];

/** Gates of these read as waiting by themselves. */
const HAVE_A_GATE = /^\/spec\/(windows|gates\/\d+\/type)$/;

/** What is declared for this environment and not honoured by this version; capsules are asked by the versions it locks. */
export function unhonouredOf(declarations: Declarations, environment: DesiredEnvironment): readonly NotHonoured[] {
  return notHonoured(declarations.state).filter(
    (problem) => problem.subject.kind !== 'environment' || problem.subject.name === environment.name,
  );
}

/** What is declared in a capsule and makes everything stuck that locks it. */
export function capsuleBlockers(loaded: readonly LoadedCapsule[]): readonly Problem[] {
  return loaded
    .flatMap((item) => (item.source === undefined ? [] : capsuleNotHonoured(item.source.declared)))
    .filter((problem) => problem.effect === 'stuck');
}

/** Gates that hold although nobody declared one: each thing that is declared, not honoured, and holds. */
export function undeclaredGates(
  request: { readonly environment: DesiredEnvironment; readonly declarations: Declarations },
  arriving: readonly LoadedCapsule[],
): readonly GateReading[] {
  const unhonoured = [
    ...unhonouredOf(request.declarations, request.environment),
    ...arriving.flatMap((item) => (item.source === undefined ? [] : capsuleNotHonoured(item.source.declared))),
  ];
  return unhonoured
    .filter((problem) => problem.effect === 'holds' && !HAVE_A_GATE.test(problem.place.pointer ?? ''))
    .map((problem) => ({
      name: problem.code,
      type: problem.code,
      status: 'waiting',
      detail: `${placeText(problem)}: ${problem.message}`,
      until: undefined,
    }));
}

function placeText({ place }: Problem): string {
  return [place.file ?? '', ...(place.line === undefined ? [] : [place.line, place.column ?? 1])].join(':');
}
