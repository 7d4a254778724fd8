import type { DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import { targetIdentities } from '#model/target-identity.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import type { Declarations } from './reading.ts';

/** What a change since a base can have made wrong: folders by name. */
export interface Affected {
  readonly capsules: ReadonlySet<string>;
  readonly environments: ReadonlySet<string>;
  /** Those of them whose own files did not move: what they have locked renders as it did. */
  readonly lockedAsBefore: ReadonlySet<string>;
  /** Something that everything follows from: the project, a policy. */
  readonly everything: boolean;
}

/**
 * Capsules whose content moved; environments whose own files moved, that use or ask for such a capsule, or that share a place or a
 * tenant with such an environment. Trees are compared by id, so nothing is opened for it.
 */
export function affectedSince(now: Declarations, before: Declarations): Affected {
  const capsules = differing(now.capsuleTrees, before.capsuleTrees);
  const everything = now.sharedKey !== before.sharedKey;
  const moved = differing(now.environmentTrees, before.environmentTrees);
  const { environments } = now.state;
  const own = environments.filter((environment) => everything || moved.has(environment.name) || uses(environment, capsules));
  const places = new Set(own.flatMap(placesOf));
  const beside = environments.filter((environment) => placesOf(environment).some((place) => places.has(place)));
  const lockedAsBefore = new Set(everything ? [] : environments.map(({ name }) => name).filter((name) => !moved.has(name)));
  return {
    capsules,
    lockedAsBefore,
    environments: new Set([...moved, ...[...own, ...beside].map((environment) => environment.name)]),
    everything,
  };
}

/** Whether a problem stands in what moved, or in an environment that follows from it. */
export function isIn(affected: Affected, { place: { file } }: Problem): boolean {
  const [, folder, name] = /^(capsules|environments)\/([^/]+)\//.exec(file ?? '') ?? [];
  if (affected.everything || folder === undefined || name === undefined) return true;
  return (folder === 'capsules' ? affected.capsules : affected.environments).has(name);
}

/** What a problem says, wherever in its file it says it: to tell an old one from a new one. */
export function wordsOfProblem({ code, message, place }: Problem): string {
  return JSON.stringify([code, place.file ?? '', message.replaceAll(/:\d+(:\d+)?|\blines? \d+/g, '')]);
}

function differing(now: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set([...now.keys(), ...before.keys()].filter((name) => now.get(name) !== before.get(name)));
}

function uses(environment: DesiredEnvironment, capsules: ReadonlySet<string>): boolean {
  const asked = Object.entries(environment.declared.value.spec.capsules ?? {}).map(([name, request]) => request.capsule ?? name);
  const locked = environment.lock === undefined ? [] : pinsOfLock(environment.lock.value).map((pin) => pin.capsule);
  return [...asked, ...locked].some((name) => capsules.has(name));
}

/** What environments share, so that a change of one can break a rule together with the other: a place (V-55), a tenant's quota (V-39). */
function placesOf({ targets, declared }: DesiredEnvironment): readonly string[] {
  const tenant = declared.value.spec.tenancy?.tenant;
  return [...targets.flatMap(({ value }) => targetIdentities(value)), ...(tenant === undefined ? [] : [`tenant ${tenant}`])];
}
