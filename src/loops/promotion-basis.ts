import type { Instant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { EnvironmentName } from '#model/names.ts';
import type { Ledger } from './audit-branch.ts';
import type { PromotionScope } from './promotion-drafts.ts';
import type { Declarations } from './reading.ts';
import { releaseTips } from './release-branches.ts';
import { upstreamNames } from './upstream.ts';
import type { World } from './world.ts';

/** What a promotion looks at in git: an equal basis gives an equal answer, until a quarantine ends. */
export interface Basis {
  /** The declarations that it follows from, as one text. */
  readonly declared: string;
  /** Number of the ledger's last record on an environment above. */
  readonly told: number;
  readonly until: Instant | undefined;
}

export function basisOf(scope: Pick<PromotionScope, 'environment' | 'declarations' | 'ledger' | 'quarantinedUntil' | 'released'>): Basis {
  const { name } = scope.environment;
  const upstreams = upstreamNames(scope.environment);
  return {
    declared: declaredText(scope, name, upstreams),
    told: lastWord(scope.ledger, upstreams),
    until: scope.quarantinedUntil,
  };
}

/** Whether a promotion that looked at `before` would see something new in git. */
export async function isNews(
  world: Pick<World, 'repository' | 'reading' | 'ledger' | 'clock' | 'settings'>,
  before: Basis | undefined,
  about: { readonly environment: EnvironmentName; readonly upstreams: readonly EnvironmentName[] },
): Promise<boolean> {
  if (before === undefined || (before.until !== undefined && before.until <= world.clock.now())) return true;
  const refs = await world.repository.refs();
  const main = refs.get(branchRef(world.settings.branch));
  if (main === undefined) return true;
  const declarations = await world.reading.declarations(await world.reading.at(main));
  const released = releaseTips(refs, declarations.state.project?.value.spec.branches?.release ?? [], world.settings.branch);
  if (declaredText({ declarations, released }, about.environment, about.upstreams) !== before.declared) return true;
  return lastWord((await world.ledger.at(refs.get(branchRef('audit')))).ledger, about.upstreams) !== before.told;
}

/** Releases concern entry environments; what comes down from above is told by its lock and by the ledger. */
function declaredText(
  { declarations, released }: { readonly declarations: Declarations; readonly released: string },
  environment: EnvironmentName,
  upstreams: readonly EnvironmentName[],
): string {
  const trees = [environment, ...upstreams].map((name) => declarations.environmentTrees.get(name) ?? '-');
  const capsules = upstreams.length === 0 ? [...[...declarations.capsuleTrees].map(([name, tree]) => `${name} ${tree}`), released] : [];
  return [declarations.sharedKey, ...trees, ...capsules].join('\n');
}

function lastWord(ledger: Ledger, upstreams: readonly EnvironmentName[]): number {
  const own = [...ledger.targets].filter(([key]) => upstreams.some((name) => key.startsWith(`${name}/`)));
  return Math.max(0, ...own.map(([, state]) => state.seq));
}
