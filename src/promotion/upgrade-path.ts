import type { Capsule } from '#model/declarations.generated.ts';
import type { GateReading } from '#model/promotion.ts';
import type { ChangeSet } from '#model/resolution.ts';
import { compareVersions, isCovered, parseRange } from '#model/version.ts';

/** What is known of the versions of one capsule. */
export interface UpgradeFacts {
  /** What a version declares; undefined where it is not known, and then nothing speaks against it. */
  readonly declared: (version: string) => Capsule['spec'] | undefined;
  /** Every released version. */
  readonly versions: readonly string[];
}

export interface Upgrade {
  readonly environment: string;
  readonly capsule: string;
  readonly from: string;
  readonly to: string;
}

/** Versions between the two that are looked at for a way: the newest ones. */
const BETWEEN = 200;

/** V-23: why a version cannot follow the one that runs, and what to promote first; undefined where it can. Going back is no upgrade. */
export function upgradeRefusal(upgrade: Upgrade, facts: UpgradeFacts): string | undefined {
  const { environment, capsule, from, to } = upgrade;
  if (compareVersions(to, from) <= 0 || accepts(facts.declared(to), from)) return undefined;
  const ranges = rangesOf(facts.declared(to)).join(' || ');
  const first = firstStep(upgrade, facts);
  const way = first === undefined ? 'no released version leads there; add a migration' : `promote ${first} first or add a migration`;
  return `${environment} runs ${capsule} ${from}; ${to} can be upgraded to only from ${ranges}; ${way}`;
}

/** V-23 as a gate of a change: it says what to promote first. Nothing at all where every upgrade is allowed. */
export function upgradeGates(
  environment: string,
  changeSet: ChangeSet,
  factsOf: (capsule: string) => UpgradeFacts,
): readonly GateReading[] {
  const refusals = changeSet.moves.flatMap(({ capsule, from, to }) => {
    if (from === undefined || to === undefined) return [];
    return upgradeRefusal({ environment, capsule, from: from.version, to: to.version }, factsOf(capsule)) ?? [];
  });
  if (refusals.length === 0) return [];
  return [{ name: 'upgrade-path', type: 'upgrade-path', status: 'failed', detail: refusals.join('; '), until: undefined }];
}

/** `upgradesFrom` names what may be upgraded in place, `migrations` what a Job brings along. */
function accepts(spec: Capsule['spec'] | undefined, from: string): boolean {
  if (spec?.compatibility?.upgradesFrom === undefined) return true;
  return rangesOf(spec).some((text) => {
    const range = parseRange(text);
    return range !== undefined && isCovered(from, range);
  });
}

function rangesOf(spec: Capsule['spec'] | undefined): readonly string[] {
  const { upgradesFrom } = spec?.compatibility ?? {};
  return [...(upgradesFrom === undefined ? [] : [upgradesFrom]), ...(spec?.migrations ?? []).map((migration) => migration.from)];
}

/** The highest version that can follow the running one and from which the wanted one is reached. */
function firstStep({ from, to }: Upgrade, facts: UpgradeFacts): string | undefined {
  const between = facts.versions
    .filter((version) => compareVersions(version, from) > 0 && compareVersions(version, to) < 0)
    .sort((a, b) => compareVersions(b, a))
    .slice(0, BETWEEN);
  const leading = [to];
  for (const version of between) {
    if (facts.declared(version)?.lifecycle === 'retired' || !leading.some((next) => accepts(facts.declared(next), version))) continue;
    if (accepts(facts.declared(version), from)) return version;
    leading.push(version);
  }
  return undefined;
}
