import { notFound, refuse } from './answer.ts';
import type { Call, Caller, Opened, Route, World } from './call.ts';
import { param } from './call.ts';
import type { Account, RepositoryRow } from './records.ts';

export interface Permissions {
  readonly admin: boolean;
  readonly maintain: boolean;
  readonly push: boolean;
  readonly triage: boolean;
  readonly pull: boolean;
}

/** `inspect`: administrators, and Apps that may read the administration. */
export type Need = 'read' | 'write' | 'inspect' | 'admin';

const LEVELS = ['none', 'pull', 'triage', 'push', 'maintain', 'admin'] as const;
type Level = (typeof LEVELS)[number];

export function permissionOf(world: World, caller: Caller, row: RepositoryRow, owner: Account): Permissions {
  const rank = LEVELS.indexOf(levelOf(world, caller, row, owner));
  return { admin: rank >= 5, maintain: rank >= 4, push: rank >= 3, triage: rank >= 2, pull: rank >= 1 };
}

/** What an account may do in a repository, whatever token it uses. */
export function accountPermission(world: World, account: Account, row: RepositoryRow, owner: Account): Permissions {
  return permissionOf(world, { kind: 'user', account, scopes: ['repo'] }, row, owner);
}

function levelOf(world: World, caller: Caller, row: RepositoryRow, owner: Account): Level {
  const open: Level = row.private ? 'none' : 'pull';
  switch (caller.kind) {
    case 'anonymous':
    case 'app':
      return open;
    case 'installation': {
      const { installation, app } = caller;
      const installed = installation.account === owner.id && (installation.repositories?.includes(row.id) ?? true);
      if (!installed) return open;
      if (app.permissions['administration'] === 'write') return 'admin';
      return app.permissions['contents'] === 'write' ? 'push' : 'pull';
    }
    case 'user': {
      const level = userLevel(world, caller.account, row, owner) ?? open;
      return caller.scopes.includes('repo') || level === 'none' ? level : open;
    }
  }
}

function userLevel(world: World, account: Account, row: RepositoryRow, owner: Account): Level | undefined {
  if (account.admin || account.id === owner.id) return 'admin';
  const member = world.store.find('membership', owner.id, String(account.id));
  if (member?.role === 'admin') return 'admin';
  const given = world.store.find('collaborator', row.id, String(account.id))?.permission;
  return given ?? (member === undefined ? undefined : 'push');
}

export function accountByLogin(world: World, login: string): Account | undefined {
  return world.store.find('account', 0, login.toLowerCase());
}

/** The account that acts: a person, or the bot of an App. */
export function actor(call: Call): Account {
  switch (call.caller.kind) {
    case 'anonymous':
      throw refuse(401, 'Requires authentication');
    case 'app':
      throw refuse(401, 'A JSON web token could not be decoded');
    case 'user':
    case 'installation':
      return call.caller.account;
  }
}

export function siteAdmin(call: Call): Account {
  const account = actor(call);
  if (!account.admin || (call.caller.kind === 'user' && !call.caller.scopes.includes('site_admin'))) throw notFound();
  return account;
}

export function findRepository(world: World, owner: string, name: string): { row: RepositoryRow; owner: Account } | undefined {
  const account = accountByLogin(world, owner);
  const row = account === undefined ? undefined : world.store.find('repository', account.id, name.toLowerCase());
  return account === undefined || row === undefined ? undefined : { row, owner: account };
}

/** The repository of the route. Who may not read it learns nothing (404); who may read but not more is told so (403). */
export function repositoryRow(call: Call, need: Need): { row: RepositoryRow; owner: Account } {
  const found = findRepository(call.world, param(call, 'owner'), param(call, 'repo'));
  if (found === undefined) throw notFound();
  const permission = permissionOf(call.world, call.caller, found.row, found.owner);
  if (!permission.pull) throw notFound();
  if (need !== 'read') {
    actor(call);
    const inspects =
      need === 'inspect' && call.caller.kind === 'installation' && call.caller.app.permissions['administration'] !== undefined;
    if ((need === 'admin' || need === 'inspect') && !permission.admin && !inspects) {
      throw call.caller.kind === 'installation' ? notAccessible(call) : refuse(403, 'Must have admin rights to Repository.');
    }
    if (need === 'write' && !permission.push) throw notAccessible(call);
  }
  return found;
}

export function notAccessible(call: Call): Error {
  return refuse(
    403,
    call.caller.kind === 'installation' ? 'Resource not accessible by integration' : 'Resource not accessible by personal access token',
  );
}

export async function openRepository(call: Call, need: Need): Promise<Opened> {
  const found = repositoryRow(call, need);
  return { ...found, git: await call.world.repositories.open(found.row.id) };
}

/** Handles requests of one repository one after the other, so that what was read still holds when it is written. */
export function alone(handle: Route['handle']): Route['handle'] {
  return async (call) => {
    const { row } = repositoryRow(call, 'read');
    return call.world.repositories.exclusive(row.id, async () => handle(call));
  };
}

/** An App needs the named permission; people are judged by their access to the repository alone. */
export function appMust(call: Call, permission: string): void {
  if (call.caller.kind === 'installation' && call.caller.app.permissions[permission] !== 'write') throw notAccessible(call);
}

export function now(world: World): string {
  return `${new Date(world.clock.now()).toISOString().slice(0, 19)}Z`;
}
