import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { directoryTargets } from '#adapters/directory/directory.ts';
import { gitRepository } from '#adapters/git/git.ts';
import { renderWorkers } from '#adapters/render-workers/render-workers.ts';
import { changeOneCapsule, generateRepository } from '#bench/generate.ts';
import { branchRef } from '#model/names.ts';
import type { ObjectLimits } from '#ports/repository.ts';
import { forgeState, memoryForge } from '#test/contracts/memory-forge.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside } from '#test/stories/outside.ts';

/** What a piece of work cost. */
export interface Cost {
  readonly blobs: number;
  readonly trees: number;
  readonly commits: number;
  readonly parses: number;
  readonly renders: number;
  readonly forks: number;
  readonly remoteCalls: number;
  readonly forgeRequests: number;
  /** Written to the ledger. */
  readonly records: number;
}

export const NOTHING: Cost = {
  blobs: 0,
  trees: 0,
  commits: 0,
  parses: 0,
  renders: 0,
  forks: 0,
  remoteCalls: 0,
  forgeRequests: 0,
  records: 0,
};

export interface CountedEngine {
  readonly engine: Engine;
  /** A person releases the n-th capsule anew and moves the lock of the entry environment to it. */
  release(n: number): Promise<void>;
  costOf(work: () => Promise<void>): Promise<Cost>;
  close(): Promise<void>;
}

const LIMITS: ObjectLimits = { blobBytes: 32 * 1024 * 1024, treeEntries: 200_000, refs: 100_000 };

/** The loops over the real git, render workers and directories; the forge is in memory, its repository a bare one beside the mirror. */
export async function countedEngine(units: number): Promise<CountedEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-counting-'));
  const remote = join(folder, 'remote.git');
  await generateRepository({ units, path: remote });
  const repository = await gitRepository({ path: join(folder, 'mirror.git'), remote: { url: remote }, limits: LIMITS });
  const behind = await gitRepository({ path: remote, limits: LIMITS });
  const renderer = renderWorkers({});
  const ports = portsOf(newOutside());
  const forge = memoryForge({ repository: behind, state: forgeState(), clock: ports.clock, login: 'capstan' });
  const targets = directoryTargets({ root: join(folder, 'targets') });
  const engine = startEngine({ ...ports, repository, renderer, forge, targets });

  async function counts(): Promise<Cost> {
    const git = repository.counts();
    return {
      blobs: git.blobsRead,
      trees: git.treesRead,
      commits: git.commitsRead,
      parses: engine.world.reading.counts().parses,
      renders: renderer.counts().renders,
      forks: git.forks,
      remoteCalls: git.remoteCalls,
      forgeRequests: forge.counts().requests,
      records: (await engine.world.ledger.at((await repository.refs()).get(branchRef('audit')))).records.length,
    };
  }

  return {
    engine,
    release: async (n) => {
      await changeOneCapsule(remote, n, { environment: 'dev' });
    },
    async costOf(work) {
      const before = await counts();
      await work();
      const after = await counts();
      return {
        blobs: after.blobs - before.blobs,
        trees: after.trees - before.trees,
        commits: after.commits - before.commits,
        parses: after.parses - before.parses,
        renders: after.renders - before.renders,
        forks: after.forks - before.forks,
        remoteCalls: after.remoteCalls - before.remoteCalls,
        forgeRequests: after.forgeRequests - before.forgeRequests,
        records: after.records - before.records,
      };
    },
    async close() {
      await renderer.close();
      await repository.close();
      await behind.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
