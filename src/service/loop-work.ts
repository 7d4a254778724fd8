import { checkChange } from '#loops/check-change.ts';
import { createLooker } from '#loops/look.ts';
import type { LookedEnvironment } from '#loops/look.ts';
import { promote } from '#loops/promote.ts';
import { isNews } from '#loops/promotion-basis.ts';
import type { Basis } from '#loops/promotion-basis.ts';
import type { Held } from '#loops/promotion-drafts.ts';
import { reconcile } from '#loops/reconcile.ts';
import type { World } from '#loops/world.ts';
import type { EnvironmentName } from '#model/names.ts';
import type { Ending } from '#model/receipt.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Run, ServiceWork, Wake } from './work.ts';

/** The loops as the service's work: errors of ports become endings, and what ended wakes what depends on it. */
export function loopWork(world: World): ServiceWork {
  const looker = createLooker(world);
  let known: readonly LookedEnvironment[] = [];

  const looked = new Map<EnvironmentName, Basis>();
  const said = new Map<string, string>();

  /** Promotions to which the ledger or the default branch says something that they have not looked at yet; none while nothing happens. */
  async function downstreamOf(environment: EnvironmentName): Promise<readonly Wake[]> {
    const wakes: Wake[] = [];
    for (const item of known) {
      const isConcerned = item.environment === environment || item.upstreams.includes(environment);
      if (isConcerned && (await isNews(world, looked.get(item.environment), item)))
        wakes.push({ kind: 'promote', environment: item.environment });
    }
    return wakes;
  }

  /** A lost race means that the mirror is behind: the retry starts from a fresh fetch. */
  async function ending(unit: string, run: () => Promise<Run>, signal: AbortSignal): Promise<Run> {
    try {
      const done = await run();
      note(unit, done.ending);
      return done;
    } catch (error) {
      if (!isPortError(error)) throw error;
      if (error.kind === 'conflict' && !signal.aborted) await world.repository.fetch(signal).catch(() => undefined);
      note(unit, { kind: 'retry', because: error.message });
      return { ending: { kind: 'retry', because: error.message }, wakes: [] };
    }
  }

  /** What keeps a unit from settling is said in words; again only when it changed. */
  function note(unit: string, found: Ending): void {
    if (found.kind === 'settled') said.delete(unit);
    else if (!isNew(unit, found)) return;
    if (found.kind === 'retry') world.journal.warn({ unit, because: found.because }, 'a run is to be repeated');
    if (found.kind === 'stuck')
      for (const problem of found.problems) world.journal.warn({ unit, code: problem.code, problem: problem.message }, 'a run is stuck');
    if (found.kind === 'waiting') world.journal.info({ unit, reasons: found.reasons.join('; ') }, 'a run waits');
  }

  /** A version that is held is said once for as long as the same ones are held. */
  function noteHeld(environment: EnvironmentName, held: readonly Held[]): void {
    if (!isNew(`held/${environment}`, held) || held.length === 0) return;
    for (const { instance, version, reason } of held) world.journal.warn({ environment, instance, version, reason }, 'a version is held');
  }

  function isNew(about: string, what: unknown): boolean {
    const text = JSON.stringify(what);
    const before = said.get(about);
    said.set(about, text);
    return before !== text;
  }

  return {
    async look(trigger, signal) {
      const answer = await ending(
        'look',
        async () => {
          const found = await looker.look(signal, trigger);
          if (found.environments.length > 0) known = found.environments;
          for (const alarm of found.alarms) world.journal.error({ alarm }, 'somebody else wrote to a branch of the engine');
          const wakes: readonly Wake[] = [
            ...found.reconcile.map((environment) => ({ kind: 'reconcile', environment }) as const),
            ...found.promote.map((environment) => ({ kind: 'promote', environment }) as const),
            ...found.check.map((number) => ({ kind: 'check', number }) as const),
          ];
          return { ending: found.ending, wakes };
        },
        signal,
      );
      return {
        ...answer,
        environments: known.map((item) => ({ environment: item.environment, driftEvery: item.interval, retry: item.retry })),
      };
    },
    reconcile: (environment, trigger, signal) =>
      ending(
        `reconcile/${environment}`,
        async () => {
          const result = await reconcile(world, { environment, target: undefined, trigger, dryRun: false }, signal);
          const line = { environment, revision: result.revision, ending: result.ending.kind, trigger };
          world.journal[result.receipts.length > 0 ? 'info' : 'debug'](line, 'an environment was reconciled');
          return {
            ending: result.ending,
            wakes: result.receipts.length > 0 ? await downstreamOf(environment) : [],
            targets: result.runs.map(({ plan, health, drift }) => ({ environment, target: plan.target, health: health.state, drift })),
          };
        },
        signal,
      ),
    promote: (environment, _trigger, signal) =>
      ending(
        `promote/${environment}`,
        async () => {
          looked.delete(environment);
          const result = await promote(world, { environment, only: undefined, dryRun: false, byPerson: false }, signal);
          const isThought = result.ending.kind === 'settled' || result.ending.kind === 'waiting';
          if (isThought && result.basis !== undefined) looked.set(environment, result.basis);
          noteHeld(environment, result.held);
          return { ending: result.ending, wakes: result.changes.some((change) => change.merged) ? [{ kind: 'look' }] : [] };
        },
        signal,
      ),
    check: (number, _trigger, signal) =>
      ending(`check/${number}`, async () => ({ ending: await checkChange(world, number, signal), wakes: [] }), signal),
  };
}
