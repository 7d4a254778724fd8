import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Repository } from '#ports/repository.ts';
import type { Shelf } from './call.ts';

/**
 * Objects of any id may be fetched and filtered clones are served, as on GitHub; pull request refs are the forge's own and cannot be pushed to.
 * Hooks are never run: their directory does not exist.
 */
const CONFIGURATION = `[core]
\trepositoryformatversion = 0
\tbare = true
\tfilemode = true
\thooksPath = /dev/null
\tfsync = committed,reference
[transfer]
\tfsckObjects = true
[receive]
\thideRefs = refs/pull
\tunpackLimit = 100
[http]
\treceivepack = true
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
`;

export function openShelf(directory: string, open: (path: string) => Promise<Repository>): Shelf {
  const opened = new Map<number, Promise<Repository>>();
  const queues = new Map<number, Promise<unknown>>();

  function path(repository: number): string {
    return join(directory, `${repository}.git`);
  }

  return {
    path,
    async create(repository, defaultBranch) {
      const root = path(repository);
      for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
        await mkdir(join(root, folder), { recursive: true });
      await writeFile(join(root, 'config'), CONFIGURATION);
      await writeFile(join(root, 'HEAD'), `ref: refs/heads/${defaultBranch}\n`);
    },
    open(repository) {
      const found = opened.get(repository);
      if (found !== undefined) return found;
      const opening = open(path(repository));
      opened.set(repository, opening);
      opening.catch(() => opened.delete(repository));
      return opening;
    },
    async remove(repository) {
      const found = opened.get(repository);
      opened.delete(repository);
      await (await found)?.close();
      await rm(path(repository), { recursive: true, force: true });
    },
    exclusive(repository, work) {
      const before = queues.get(repository) ?? Promise.resolve();
      const mine = before.then(work, work);
      queues.set(repository, mine);
      return mine;
    },
    async close() {
      for (const repository of opened.values()) await (await repository).close();
      opened.clear();
    },
  };
}
