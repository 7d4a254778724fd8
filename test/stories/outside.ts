import { sha256Of } from '#model/digest.ts';
import type { CommitId } from '#model/digest.ts';
import { toInstant, type Instant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { Clock } from '#ports/machine.ts';
import type { Repository } from '#ports/repository.ts';
import { forgeState, memoryForge, type ForgeState, type MemoryForge } from '#test/contracts/memory-forge.ts';
import { memoryDisk, memoryRepository, type MemoryDisk } from '#test/contracts/memory-repository.ts';
import { memoryTarget, type MemoryTarget } from '#test/contracts/memory-target.ts';
import { signerOf, type Files } from './shop.ts';

/** Everything that outlives a killed engine: the forge and its repository, the engine's mirror, the targets, and the time. */
export interface Outside {
  now: Instant;
  /** How many engines were started on it: no two give the same id, and the same story gives the same ones. */
  engines: number;
  /** Of the bare repository behind the forge. */
  readonly remote: MemoryDisk;
  readonly mirror: MemoryDisk;
  /** Repositories of others, by address. */
  readonly elsewhere: Map<string, MemoryDisk>;
  readonly forge: ForgeState;
  /** `<environment>/<target>` */
  readonly targets: Map<string, MemoryTarget>;
}

export const BEGAN = toInstant(Date.UTC(2026, 0, 5, 9));

export function newOutside(): Outside {
  return {
    now: BEGAN,
    engines: 0,
    remote: memoryDisk(),
    mirror: memoryDisk(),
    elsewhere: new Map(),
    forge: forgeState(),
    targets: new Map(),
  };
}

/** What a kill at this moment leaves. */
export function copyOf(outside: Outside): Outside {
  return {
    now: outside.now,
    engines: outside.engines,
    remote: memoryDisk(outside.remote),
    mirror: memoryDisk(outside.mirror),
    elsewhere: new Map(outside.elsewhere),
    forge: forgeState(outside.forge),
    targets: new Map([...outside.targets].map(([name, target]) => [name, copyTarget(target)])),
  };
}

/** A second engine beside the first: its own mirror, everything else shared. */
export function beside(outside: Outside): Outside {
  const { remote, forge, targets } = outside;
  return {
    get now() {
      return outside.now;
    },
    engines: 1000,
    remote,
    forge,
    targets,
    mirror: memoryDisk(),
    elsewhere: outside.elsewhere,
  };
}

function copyTarget(from: MemoryTarget): MemoryTarget {
  const target = memoryTarget();
  for (const [path, text] of from.files) target.files.set(path, text);
  for (const [path, report] of from.reports) target.reports.set(path, report);
  return Object.assign(target, {
    inventory: from.inventory,
    complete: from.complete,
    reportsHealth: from.reportsHealth,
    writes: from.writes,
  });
}

export function targetOf(outside: Outside, name: string): MemoryTarget {
  const target = outside.targets.get(name) ?? memoryTarget();
  outside.targets.set(name, target);
  return target;
}

/** The same text for the same state: two kills that leave it are one. */
export function digestOf(outside: Outside): string {
  const text = JSON.stringify([
    [...outside.remote.refs],
    [...outside.mirror.refs],
    outside.mirror.objects.size,
    [...outside.forge.pulls],
    [...outside.forge.statuses],
    [...outside.targets].map(([name, target]) => [name, [...target.files], [...target.reports], target.inventory]),
    outside.now,
  ]);
  return sha256Of(text);
}

export function clockOf(outside: Outside): Clock {
  return { now: () => outside.now };
}

export interface PushOptions {
  readonly by?: string | undefined;
  readonly message?: string;
  readonly remove?: readonly string[];
  /** Another branch than main; it begins at `from`, or has no parent where that is `nothing`. */
  readonly branch?: string;
  readonly from?: CommitId | 'nothing';
}

/** The repository and the forge as people use them. */
export interface People {
  readonly repository: Repository;
  readonly forge: (login: string) => MemoryForge;
  /** Pushes a commit to main, signed by `by` or by nobody. */
  push(files: Files, options?: PushOptions): Promise<CommitId>;
}

export function peopleOf(outside: Outside): People {
  const repository = memoryRepository(outside.remote);
  const clock = clockOf(outside);
  const forge = (login: string): MemoryForge => memoryForge({ repository, state: outside.forge, clock, login });
  return {
    repository,
    forge,
    async push(files, { by = 'ada', message = 'change', remove = [], branch = 'main', from } = {}) {
      const ref = branchRef(branch);
      const there = (await repository.refs()).get(ref);
      const tip = there ?? (from === 'nothing' ? undefined : from);
      const signer = signerOf(by);
      const next = await repository.writeCommit(
        {
          base: tip === undefined ? undefined : (await repository.commit(tip)).tree,
          changes: [
            ...Object.entries(files).map(([path, text]) => ({ kind: 'file' as const, path, content: Buffer.from(text) })),
            ...remove.map((path) => ({ kind: 'delete' as const, path })),
          ],
          parents: tip === undefined ? [] : [tip],
          author: { name: by, email: signer.email, at: outside.now, zone: '+0000' },
          message: `${message}\n`,
        },
        by === 'nobody' ? undefined : (payload) => signer.sign(payload),
      );
      await repository.push([{ ref, expected: there, next }]);
      return next;
    },
  };
}
