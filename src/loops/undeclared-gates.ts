import { capsuleNotHonoured, notHonoured } from '#desired/desired.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import type { Problem } from '#model/problem.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Pin } from '#model/resolution.ts';
import { quarantineOf } from './quarantine.ts';
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

/** Gates that hold although nobody declared one: what is not honoured and holds, and versions in quarantine. */
export function undeclaredGates(
  request: { readonly environment: DesiredEnvironment; readonly declarations: Declarations },
  arriving: { readonly pins: readonly Pin[]; readonly capsules: readonly LoadedCapsule[] },
  at: Instant,
): readonly GateReading[] {
  const unhonoured = [
    ...unhonouredOf(request.declarations, request.environment),
    ...arriving.capsules.flatMap((item) => (item.source === undefined ? [] : capsuleNotHonoured(item.source.declared))),
  ].filter((problem) => problem.effect === 'holds' && !HAVE_A_GATE.test(problem.place.pointer ?? ''));
  const quarantined = arriving.pins.flatMap((pin): GateReading[] => {
    const reason = quarantineOf(request.declarations, pin.capsule, pin.version, at);
    if (reason === undefined) return [];
    return [reading('quarantine', 'failed', `${pin.capsule}@${pin.version} is in quarantine: ${reason}`)];
  });
  return [...unhonoured.map((problem) => reading('not-supported', 'waiting', `${placeText(problem)}: ${problem.message}`)), ...quarantined];
}

function reading(type: string, status: GateReading['status'], detail: string): GateReading {
  return { name: type, type, status, detail, until: undefined };
}

function placeText({ place }: Problem): string {
  return [place.file ?? '', ...(place.line === undefined ? [] : [place.line, place.column ?? 1])].join(':');
}
