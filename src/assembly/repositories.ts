import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Configuration } from '#cli/found.ts';
import type { Journal } from '#ports/machine.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { ObjectLimits, Repository } from '#ports/repository.ts';

export const LIMITS: ObjectLimits = { blobBytes: 32 * 1024 * 1024, treeEntries: 200_000, refs: 100_000 };

export async function openLocal(path: string, importPaths: readonly string[]): Promise<Repository> {
  const { gitRepository } = await import('#adapters/git/git.ts');
  if ((await stat(path).catch(() => undefined)) === undefined) throw new PortError('missing', `${path} does not exist`);
  const { isRepository } = await import('#adapters/git/git.ts');
  if (!(await isRepository(path)))
    throw new PortError('missing', `${path} is not a git repository; 'capstan init' makes one, --repo names another`);
  return gitRepository({ path, limits: LIMITS, importPaths });
}

export type GithubForge = Awaited<ReturnType<typeof openForge>>;

export async function openForge(configuration: Configuration, journal: Journal) {
  const { githubForge } = await import('#adapters/github/github.ts');
  const { forge } = configuration;
  if (forge === undefined) throw new PortError('invalid', 'the configuration has no forge');
  return githubForge({ baseUrl: forge.baseUrl, owner: forge.owner, repo: forge.repo, auth: forge.auth, journal });
}

export async function openMirror(configuration: Configuration, forge: GithubForge | undefined): Promise<Repository> {
  const { gitRepository } = await import('#adapters/git/git.ts');
  // What can be lost stands together: the folder of the configuration may be one that nobody writes to.
  const path = join(dirname(configuration.sqlite), 'mirror.git');
  await mkdir(dirname(path), { recursive: true });
  const credentials = forge === undefined ? {} : { credentials: () => forge.credentials() };
  return gitRepository({
    path,
    remote: { url: configuration.repository.url, ...credentials },
    limits: LIMITS,
    importPaths: configuration.importsFrom,
  });
}

export async function fetchOrWarn(repository: Repository, journal: Journal): Promise<void> {
  await repository.fetch().catch((error: unknown) => {
    if (!isPortError(error)) throw error;
    journal.warn({ reason: error.message }, 'the mirror could not be fetched');
  });
}

export async function openClone(path: string): Promise<Repository> {
  const { gitRepository } = await import('#adapters/git/git.ts');
  return gitRepository({ path, limits: LIMITS });
}
