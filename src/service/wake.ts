import { toEnvironmentName, isName, type EnvironmentName } from '#model/names.ts';
import type { WakeUp } from '#ports/webhooks.ts';
import type { Wake } from './work.ts';

/** Branches that the engine alone writes; what happens there wakes nobody. */
const ENGINE_REFS = /^refs\/heads\/(rendered\/|promote\/|rollback\/|drift\/|(audit|evidence)$)/;
/** Statuses and checks of the engine's own. */
const ENGINE_CHECK = /^capstan(\/|$)/;
const PROMOTION_HEAD = /^promote\/([^/]+)\//;
const DRIFT_HEAD = /^drift\/([^/]+)\//;
/** What happens to a pull request and may change a check or a gate; titles, labels and assignees do not. */
const CONCERNING_ACTIONS: ReadonlySet<string> = new Set(['opened', 'reopened', 'synchronize', 'closed', 'ready_for_review']);

/** What a delivery should wake. `known` are the environments of the last look. */
export function wakesOf(wakeUp: WakeUp, known: readonly EnvironmentName[]): readonly Wake[] {
  switch (wakeUp.kind) {
    case 'push':
      return ENGINE_REFS.test(wakeUp.ref) ? [] : [{ kind: 'look' }];
    case 'pull-request': {
      if (!CONCERNING_ACTIONS.has(wakeUp.action)) return [];
      const promotions = promotionOf(wakeUp.head, known);
      if (wakeUp.action === 'closed') return [...promotions, ...environmentOf(DRIFT_HEAD, wakeUp.head, known, 'reconcile')];
      const check: Wake = { kind: 'check', number: wakeUp.number };
      // Its head is fetched by a look, which wakes the check again: the push before it, if there was one here, may be worked on already.
      return PROMOTION_HEAD.test(wakeUp.head) ? [check, ...promotions] : [{ kind: 'look' }, check];
    }
    case 'review':
      return promotionOf(wakeUp.head, known);
    case 'status':
    case 'check':
      // Which pull request a status belongs to is the forge's knowledge; asking every promotion costs less than asking the forge.
      return ENGINE_CHECK.test(wakeUp.name) ? [] : known.map((environment) => ({ kind: 'promote', environment }));
    case 'ping':
    case 'other':
      return [];
  }
}

function promotionOf(head: string, known: readonly EnvironmentName[]): readonly Wake[] {
  return environmentOf(PROMOTION_HEAD, head, known, 'promote');
}

function environmentOf(heads: RegExp, head: string, known: readonly EnvironmentName[], kind: 'promote' | 'reconcile'): readonly Wake[] {
  const name = heads.exec(head)?.[1];
  if (name === undefined || !isName(name)) return [];
  const environment = toEnvironmentName(name);
  return known.includes(environment) ? [{ kind, environment }] : [];
}
