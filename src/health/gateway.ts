import type { JsonObject } from '#model/json.ts';
import { jsonText } from '#model/json.ts';
import { judgeConditions } from './condition-rule.ts';
import { plainSentence } from './plain-sentence.ts';
import type { Judgement, Seen } from './seen.ts';
import { HEALTHY, conditionsOf, isStale, objectAt, objectsAt, progressing } from './seen.ts';

const GATEWAY = {
  good: ['Accepted', 'ResolvedRefs', 'Programmed'],
  // Of Accepted and of Programmed: reasons with which Gateway API says that a controller has not come to it, or has no address yet.
  waiting: ['Pending', 'NotReconciled', 'AddressNotAssigned', 'ProgrammingInProgress'],
};
const LISTENER = { ...GATEWAY, bad: ['Conflicted'] };

/** Gateway API: it and each of its listeners. */
export function gateway(seen: Seen): Judgement {
  const own = judgeConditions(seen, seen.conditions, GATEWAY);
  if (own.state !== 'healthy') return own;
  const listeners = objectsAt(seen.status, 'listeners').map((listener) =>
    named('listener', listener['name'], judgeConditions(seen, conditionsOf(listener), LISTENER)),
  );
  return worst(listeners) ?? HEALTHY;
}

/** Routes: each parent that speaks of this generation says whether it takes the route; one that left an old status behind does not count. */
export function route(seen: Seen): Judgement {
  const parents = objectsAt(seen.status, 'parents');
  const current = parents.filter((parent) => !conditionsOf(parent).some((condition) => isStale(seen, condition)));
  if (current.length === 0) return progressing(parents.length === 0 ? 'waits for a gateway' : 'its gateways have not seen the last change');
  const judged = current.map((parent) =>
    named('gateway', objectAt(parent, 'parentRef')['name'], judgeConditions(seen, conditionsOf(parent), GATEWAY)),
  );
  return worst(judged) ?? HEALTHY;
}

function named(noun: string, name: JsonObject[string] | undefined, judged: Judgement): Judgement {
  return { ...judged, reason: `${noun} ${plainSentence(jsonText(name), 63)}: ${judged.reason}` };
}

function worst(judged: readonly Judgement[]): Judgement | undefined {
  return judged.find((one) => one.state === 'degraded') ?? judged.find((one) => one.state !== 'healthy');
}
