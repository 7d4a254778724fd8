import { createPublicKey, generateKeyPairSync } from 'node:crypto';

import { accountByLogin, now, siteAdmin } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, notFound, ok, refuse } from './answer.ts';
import { integers, nested, optionalText, text, texts } from './body.ts';
import type { Call, Route } from './call.ts';
import { param } from './call.ts';
import { paged, pagedUnder } from './page.ts';
import type { RepositoryRow, Stored } from './records.ts';
import { addAccount } from './routes-users.ts';
import { issueToken } from './tokens.ts';
import { appView, installationView } from './view-account.ts';
import { fullRepository } from './view-repository.ts';

export const APP_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/admin/apps', resource: 'Integration', handle: createApp },
  { method: 'GET', path: '/app', resource: 'Integration', handle: (call) => ok(appView(call.world, callingApp(call))) },
  { method: 'GET', path: '/app/installations', resource: 'Integration', handle: listInstallations },
  { method: 'GET', path: '/app/installations/{installation_id}', resource: 'Integration', handle: getInstallation },
  { method: 'POST', path: '/app/installations/{installation_id}/access_tokens', resource: 'Integration', handle: createInstallationToken },
  { method: 'GET', path: '/repos/{owner}/{repo}/installation', resource: 'Integration', handle: installationOfRepository },
  { method: 'GET', path: '/installation/repositories', resource: 'Integration', handle: listInstallationRepositories },
];

const HOUR = 3_600_000;
const PERMISSIONS = {
  metadata: 'read',
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  statuses: 'write',
  checks: 'write',
  administration: 'read',
  members: 'read',
  repository_hooks: 'write',
};

/**
 * The forge's own way to make a GitHub App (GitHub makes them on a web page): an App with a key, installed for one account at once.
 * The private key is answered once and not kept; a public key may be brought along instead.
 */
function createApp(call: Call): Answer {
  const { world, body } = call;
  const admin = siteAdmin(call);
  const name = text(body, 'name');
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  if (slug === '' || accountByLogin(world, `${slug}[bot]`) !== undefined) throw invalid('Integration', 'name', 'already_exists');
  const account = accountByLogin(world, text(body, 'account'));
  if (account === undefined) throw invalid('Integration', 'account', 'invalid');
  const repositories = texts(body, 'repositories')?.map(
    (repository) => world.store.find('repository', account.id, repository.toLowerCase())?.id,
  );
  if (repositories?.includes(undefined) === true) throw invalid('Integration', 'repositories', 'invalid');
  const key = keyOf(optionalText(body, 'public_key'));
  const at = now(world);
  const { app, installation } = world.store.transaction(() => {
    const bot = addAccount(world, `${slug}[bot]`, { email: `${slug}[bot]@users.noreply.localhost`, type: 'Bot', admin: false });
    const permissions = permissionsOf(call);
    const row = world.store.insert(
      'app',
      { parent: 0, key: slug },
      {
        slug,
        name,
        owner: admin.id,
        bot: bot.id,
        publicKey: key.publicKey,
        permissions,
        events: texts(body, 'events') ?? [],
        createdAt: at,
      },
    );
    const selected = repositories?.filter((id) => id !== undefined);
    const place = world.store.insert(
      'installation',
      { parent: row.id, key: String(account.id) },
      {
        app: row.id,
        account: account.id,
        repositories: selected,
        createdAt: at,
      },
    );
    return { app: row, installation: place };
  });
  return created({ ...appView(world, app), pem: key.privateKey, installation: installationView(world, app, installation) });
}

function keyOf(given: string | undefined): { readonly publicKey: string; readonly privateKey: string | null } {
  if (given === undefined) {
    return generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
  }
  try {
    const key = createPublicKey(given);
    if (key.asymmetricKeyType !== 'rsa') throw new Error('not RSA');
    return { publicKey: key.export({ type: 'spki', format: 'pem' }).toString(), privateKey: null };
  } catch {
    throw invalid('Integration', 'public_key', 'invalid');
  }
}

function permissionsOf(call: Call): Readonly<Record<string, string>> {
  const given = nested(call.body, 'permissions');
  if (given === undefined) return PERMISSIONS;
  return Object.fromEntries([['metadata', 'read'], ...[...given.fields.keys()].map((name) => [name, text(given, name)])]);
}

function callingApp(call: Call): Stored<'app'> {
  if (call.caller.kind === 'app') return call.caller.app;
  throw refuse(401, 'A JSON web token could not be decoded');
}

function listInstallations(call: Call): Promise<Answer> {
  const app = callingApp(call);
  return paged(call, call.world.store.list('installation', app.id), (row) => installationView(call.world, app, row));
}

function installationOf(call: Call): { readonly app: Stored<'app'>; readonly installation: Stored<'installation'> } {
  const app = callingApp(call);
  const installation = call.world.store.get('installation', Number(param(call, 'installation_id')));
  if (installation?.app !== app.id) throw notFound();
  return { app, installation };
}

function getInstallation(call: Call): Answer {
  const { app, installation } = installationOf(call);
  return ok(installationView(call.world, app, installation));
}

function createInstallationToken(call: Call): Answer {
  const { world } = call;
  const { app, installation } = installationOf(call);
  const bot = world.store.get('account', app.bot);
  if (bot === undefined) throw notFound();
  const wanted = integers(call.body, 'repository_ids');
  if (wanted?.some((id) => installation.repositories?.includes(id) === false) === true) {
    throw refuse(422, 'There is at least one repository that does not exist or is not accessible to the parent installation.');
  }
  const expiresAt = `${new Date(world.clock.now() + HOUR).toISOString().slice(0, 19)}Z`;
  const { token } = issueToken(world, bot, { scopes: [], note: 'installation', installation: installation.id, expiresAt });
  const selection = installation.repositories === undefined ? 'all' : 'selected';
  return created({ token, expires_at: expiresAt, permissions: app.permissions, repository_selection: selection });
}

function installationOfRepository(call: Call): Answer {
  const app = callingApp(call);
  const owner = accountByLogin(call.world, param(call, 'owner'));
  const row = owner === undefined ? undefined : call.world.store.find('repository', owner.id, param(call, 'repo').toLowerCase());
  const installation = owner === undefined ? undefined : call.world.store.find('installation', app.id, String(owner.id));
  if (row === undefined || installation === undefined || installation.repositories?.includes(row.id) === false) throw notFound();
  return ok(installationView(call.world, app, installation));
}

function listInstallationRepositories(call: Call): Promise<Answer> {
  const { caller, world } = call;
  if (caller.kind !== 'installation')
    throw refuse(403, 'You must authenticate with an installation access token in order to list repositories for an installation.');
  const owner = world.store.get('account', caller.installation.account);
  const all: readonly RepositoryRow[] = owner === undefined ? [] : world.store.list('repository', owner.id);
  const rows = all.filter((row) => caller.installation.repositories?.includes(row.id) ?? true);
  return pagedUnder(call, 'repositories', rows, (row) => (owner === undefined ? undefined : fullRepository(world, row, owner, caller)));
}
