import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock, Journal, CommitSigner } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import type { Repository } from '#ports/repository.ts';
import type { SmartHttp } from '#ports/smart-http.ts';
import { accountByLogin } from './access.ts';
import type { World } from './call.ts';
import { startDeliveries } from './deliveries.ts';
import { gitTraffic } from './git-traffic.ts';
import { syncRefs } from './ref-sync.ts';
import { addAccount, isLogin } from './routes-users.ts';
import { ROUTES } from './routes.ts';
import { forgeServer } from './server.ts';
import { openShelf } from './shelf.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';
import { issueToken } from './tokens.ts';

export interface ForgeOptions {
  /** Made if absent: `forge.db`, `admin-token`, `repositories/`. */
  readonly dataDirectory: string;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Opens a bare repository (without a remote). */
  readonly repositories: (path: string) => Promise<Repository>;
  readonly smartHttp: SmartHttp;
  readonly clock: Clock;
  readonly journal: Journal;
  /** The forge's own key. It signs the commits the forge makes and vouches for nothing else. */
  readonly signer: CommitSigner;
}

export interface RunningForge {
  /** `http://127.0.0.1:3000`; REST below `/api/v3`, git at `/{owner}/{repo}.git`. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ForgePerson {
  readonly login: string;
  /** Shown once; the forge keeps only its digest. */
  readonly token: string;
}

const ALL_SCOPES = ['repo', 'workflow', 'admin:org', 'admin:repo_hook', 'user', 'delete_repo', 'site_admin'];
const PERSON_SCOPES = ['repo', 'workflow', 'admin:org', 'admin:repo_hook', 'user'];

/** A GitHub-shaped server. The first start writes `admin-token` (mode 0600, user `admin`). */
export async function startForge(options: ForgeOptions): Promise<RunningForge> {
  const { dataDirectory, clock, journal } = options;
  await mkdir(dataDirectory, { recursive: true });
  const store = openStore(join(dataDirectory, 'forge.db'));
  await firstAdmin(store, options);
  let url = '';
  const world: World = {
    store,
    clock,
    journal,
    signer: options.signer,
    repositories: openShelf(join(dataDirectory, 'repositories'), options.repositories),
    url: () => url,
    deliver: () => deliveries.wake(),
  };
  const app = forgeServer(world, ROUTES);
  await gitTraffic(app, world, options.smartHttp);
  url = addressOf(await listen(app, options.listen), options.listen.host);
  const deliveries = startDeliveries(world);
  await followRefs(world);
  deliveries.wake();
  return {
    url,
    async close() {
      await app.close();
      await deliveries.close();
      await world.repositories.close();
      store.close();
    },
  };
}

/** `capstan forge user add NAME`: a person and a token. Works beside a running forge; a second call gives the same person a further token. */
export function addForgePerson(options: { readonly dataDirectory: string; readonly clock: Clock }, login: string): ForgePerson | undefined {
  if (!isLogin(login)) return undefined;
  const store = openStore(join(options.dataDirectory, 'forge.db'));
  try {
    const world = { store, clock: options.clock };
    const account =
      store.find('account', 0, login.toLowerCase()) ?? addAccount(world, login, { email: undefined, type: 'User', admin: false });
    return { login: account.login, token: issueToken(world, account, { scopes: PERSON_SCOPES, note: 'capstan forge user add' }).token };
  } finally {
    store.close();
  }
}

async function firstAdmin(store: Store, options: ForgeOptions): Promise<void> {
  const world = { store, clock: options.clock };
  const account = store.find('account', 0, 'admin') ?? addAccount(world, 'admin', { email: undefined, type: 'User', admin: true });
  const path = join(options.dataDirectory, 'admin-token');
  if (existsSync(path)) return;
  const { token } = issueToken(world, account, { scopes: ALL_SCOPES, note: 'first start' });
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
}

/** What happened to refs and was not followed because the forge was killed. */
async function followRefs(world: World): Promise<void> {
  const admin = accountByLogin(world, 'admin');
  for (const row of world.store.all('repository')) {
    const owner = world.store.get('account', row.owner);
    if (owner === undefined) continue;
    await world.repositories.create(row.id, row.defaultBranch);
    await world.repositories.exclusive(row.id, () => syncRefs(world, { row, owner }, owner.type === 'User' ? owner : (admin ?? owner)));
  }
}

async function listen(app: ReturnType<typeof forgeServer>, { host, port }: ForgeOptions['listen']): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no reason given';
    throw new PortError('invalid', `cannot listen on ${host}:${port} (${reason}); stop what holds it, or choose another --listen`, error);
  }
}

function addressOf(listening: string, host: string): string {
  const address = new URL(listening);
  return host === 'localhost' ? `http://localhost:${address.port}` : address.origin;
}
