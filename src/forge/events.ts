import type { World } from './call.ts';
import { enqueue } from './deliveries.ts';
import type { Account, RepositoryRow } from './records.ts';
import { organizationView, simpleUser } from './view-account.ts';
import { fullRepository } from './view-repository.ts';

export interface Happening {
  readonly event:
    | 'push'
    | 'pull_request'
    | 'pull_request_review'
    | 'issue_comment'
    | 'check_run'
    | 'check_suite'
    | 'status'
    | 'create'
    | 'delete';
  readonly action?: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Queues a happening for every hook that listens. Call it inside the transaction that stores what happened; `world.deliver()` afterwards
 * sends it, and so does the next start if the forge is killed in between.
 */
export function raise(
  world: World,
  at: { readonly row: RepositoryRow; readonly owner: Account },
  sender: Account,
  happening: Happening,
): void {
  const { event, action } = happening;
  const hooks = world.store
    .list('hook', at.row.id)
    .filter((hook) => hook.active && (hook.events.includes(event) || hook.events.includes('*')));
  if (hooks.length === 0) return;
  const payload = JSON.stringify({
    ...(action === undefined ? {} : { action }),
    ...happening.payload,
    repository: fullRepository(world, at.row, at.owner, { kind: 'anonymous' }),
    ...(at.owner.type === 'Organization' ? { organization: organizationView(world, at.owner) } : {}),
    sender: simpleUser(world, sender),
  });
  for (const hook of hooks) enqueue(world, hook, { repository: at.row.id, event, action, payload });
}
