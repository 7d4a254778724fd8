import { actor, now, permissionOf, repositoryRow } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, noContent, notFound, ok } from './answer.ts';
import { flag, has, nested, optionalText, text, texts } from './body.ts';
import type { Call, Route } from './call.ts';
import { param } from './call.ts';
import { enqueue } from './deliveries.ts';
import { link, paged, windowOf } from './page.ts';
import type { Account, Delivery, Hook, RepositoryRow } from './records.ts';
import { api, simpleUser } from './view-account.ts';
import { fullRepository, repositoryPath } from './view-repository.ts';

const BASE = '/repos/{owner}/{repo}/hooks';
const EVENTS = new Set([
  '*',
  'push',
  'pull_request',
  'pull_request_review',
  'issue_comment',
  'check_run',
  'check_suite',
  'status',
  'deployment',
  'deployment_status',
  'create',
  'delete',
]);

export const HOOK_ROUTES: readonly Route[] = [
  { method: 'GET', path: BASE, resource: 'Hook', handle: listHooks },
  { method: 'POST', path: BASE, resource: 'Hook', handle: createHook },
  { method: 'GET', path: `${BASE}/{hook_id}`, resource: 'Hook', handle: getHook },
  { method: 'PATCH', path: `${BASE}/{hook_id}`, resource: 'Hook', handle: updateHook },
  { method: 'DELETE', path: `${BASE}/{hook_id}`, resource: 'Hook', handle: deleteHook },
  { method: 'POST', path: `${BASE}/{hook_id}/pings`, resource: 'Hook', handle: pingHook },
  { method: 'GET', path: `${BASE}/{hook_id}/deliveries`, resource: 'Hook', handle: listDeliveries },
  { method: 'GET', path: `${BASE}/{hook_id}/deliveries/{delivery_id}`, resource: 'Hook', handle: getDelivery },
  { method: 'POST', path: `${BASE}/{hook_id}/deliveries/{delivery_id}/attempts`, resource: 'Hook', handle: redeliver },
];

interface OpenedHook {
  readonly row: RepositoryRow;
  readonly owner: Account;
  readonly hook: Hook;
}

/** Hooks are for administrators and Apps with that permission; to others they do not exist, as on GitHub. */
function hookRepository(call: Call): { row: RepositoryRow; owner: Account } {
  actor(call);
  const found = repositoryRow(call, 'read');
  const permitted = call.caller.kind === 'installation' && call.caller.app.permissions['repository_hooks'] === 'write';
  if (!permitted && !permissionOf(call.world, call.caller, found.row, found.owner).admin) throw notFound();
  return found;
}

function hookOf(call: Call): OpenedHook {
  const at = hookRepository(call);
  const hook = call.world.store.list('hook', at.row.id).find((row) => String(row.id) === param(call, 'hook_id'));
  if (hook === undefined) throw notFound();
  return { ...at, hook };
}

function hookView(call: Call, of: OpenedHook) {
  const { hook } = of;
  const url = api(call.world, `${repositoryPath(of.owner, of.row)}/hooks/${hook.id}`);
  return {
    type: 'Repository',
    id: hook.id,
    name: 'web',
    active: hook.active,
    events: hook.events,
    config: {
      content_type: hook.contentType,
      insecure_ssl: '0',
      url: hook.url,
      ...(hook.secret === undefined ? {} : { secret: '********' }),
    },
    updated_at: hook.updatedAt,
    created_at: hook.createdAt,
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: {
      code: hook.lastResponse.code ?? null,
      status: hook.lastResponse.status,
      message: hook.lastResponse.message ?? null,
    },
  };
}

function listHooks(call: Call): Promise<Answer> {
  const at = hookRepository(call);
  return paged(call, call.world.store.list('hook', at.row.id), (hook) => hookView(call, { ...at, hook }));
}

interface Settings {
  readonly url: string;
  readonly contentType: 'json' | 'form';
  readonly secret: string | undefined;
}

function settingsOf(call: Call, before: Hook | undefined): Settings {
  const config = nested(call.body, 'config');
  if (config === undefined) {
    if (before === undefined) throw invalid('Hook', 'config', 'missing_field');
    return before;
  }
  const url = before === undefined ? text(config, 'url') : (optionalText(config, 'url') ?? before.url);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw invalid('Hook', 'url', 'invalid', 'URL is not supported because it is not a web address');
  const contentType = optionalText(config, 'content_type') ?? before?.contentType ?? 'form';
  if (contentType !== 'json' && contentType !== 'form') throw invalid('Hook', 'content_type', 'invalid');
  return { url, contentType, secret: has(config, 'secret') ? optionalText(config, 'secret') : before?.secret };
}

function eventsOf(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !EVENTS.has(name));
  if (unknown !== undefined) throw invalid('Hook', 'events', 'custom', `unknown event: ${unknown}`);
  return names.includes('*') ? ['*'] : [...new Set(names)].toSorted();
}

function createHook(call: Call): Answer {
  const { world } = call;
  const at = hookRepository(call);
  const settings = settingsOf(call, undefined);
  const events = eventsOf(texts(call.body, 'events') ?? ['push']);
  const same = world.store.list('hook', at.row.id).some((hook) => hook.url === settings.url && hook.events.join() === events.join());
  if (same) throw invalid('Hook', 'base', 'custom', 'Hook already exists on this repository');
  const stamp = now(world);
  const hook = world.store.transaction(() => {
    const row = world.store.insert(
      'hook',
      { parent: at.row.id, key: undefined },
      {
        ...settings,
        events,
        active: flag(call.body, 'active') ?? true,
        lastResponse: { code: undefined, status: 'unused', message: undefined },
        createdAt: stamp,
        updatedAt: stamp,
      },
    );
    ping(call, { ...at, hook: row });
    return row;
  });
  world.deliver();
  const view = hookView(call, { ...at, hook });
  return created(view, view.url);
}

function ping(call: Call, of: OpenedHook): void {
  const payload = JSON.stringify({
    zen: 'Keep it logically awesome.',
    hook_id: of.hook.id,
    hook: hookView(call, of),
    repository: fullRepository(call.world, of.row, of.owner, { kind: 'anonymous' }),
    sender: simpleUser(call.world, actor(call)),
  });
  enqueue(call.world, of.hook, { repository: of.row.id, event: 'ping', action: undefined, payload });
}

function pingHook(call: Call): Answer {
  const of = hookOf(call);
  call.world.store.transaction(() => ping(call, of));
  call.world.deliver();
  return noContent();
}

function getHook(call: Call): Answer {
  return ok(hookView(call, hookOf(call)));
}

function updateHook(call: Call): Answer {
  const of = hookOf(call);
  const { hook } = of;
  const added = texts(call.body, 'add_events') ?? [];
  const removed = texts(call.body, 'remove_events') ?? [];
  const events = (texts(call.body, 'events') ?? [...hook.events, ...added]).filter((event) => !removed.includes(event));
  const saved = call.world.store.save('hook', {
    ...hook,
    ...settingsOf(call, hook),
    id: hook.id,
    events: eventsOf(events),
    active: flag(call.body, 'active') ?? hook.active,
    updatedAt: now(call.world),
  });
  return ok(hookView(call, { ...of, hook: saved }));
}

function deleteHook(call: Call): Answer {
  const { hook } = hookOf(call);
  call.world.store.remove('hook', hook.id);
  return noContent();
}

function deliveryItem(delivery: Delivery) {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action ?? null,
    installation_id: null,
    repository_id: delivery.repository,
    throttled_at: null,
  };
}

/** Newest first; pages by cursor, not by number. */
function listDeliveries(call: Call): Answer {
  const { hook } = hookOf(call);
  const { size } = windowOf(call);
  const cursor = Number(call.query.get('cursor')?.replace(/^v1_/, '') ?? Number.MAX_SAFE_INTEGER);
  if (!Number.isSafeInteger(cursor)) throw invalid('Hook', 'cursor', 'invalid');
  const rows = call.world.store.newest('delivery', hook.id, { before: cursor, limit: size + 1 }).filter((row) => row.state !== 'waiting');
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const headers = rows.length > size && last !== undefined ? { link: link(call, { cursor: `v1_${last.id}` }, 'next') } : {};
  return ok(
    shown.map((row) => deliveryItem(row)),
    headers,
  );
}

function deliveryOf(call: Call, hook: Hook): Delivery {
  const delivery = call.world.store.get('delivery', Number(param(call, 'delivery_id')));
  if (delivery === undefined || delivery.hook !== hook.id) throw notFound();
  return delivery;
}

function getDelivery(call: Call): Answer {
  const { hook } = hookOf(call);
  const delivery = deliveryOf(call, hook);
  return ok({
    ...deliveryItem(delivery),
    url: delivery.url,
    request: { headers: delivery.requestHeaders, payload: JSON.parse(delivery.payload) },
    response: { headers: delivery.responseHeaders, payload: delivery.responseBody },
  });
}

/** The same message under the same guid, once more. */
function redeliver(call: Call): Answer {
  const { hook } = hookOf(call);
  const { repository, event, action, payload, guid } = deliveryOf(call, hook);
  call.world.store.transaction(() => enqueue(call.world, hook, { repository, event, action, payload, guid }));
  call.world.deliver();
  return { status: 202, body: {} };
}
