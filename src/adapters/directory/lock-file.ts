import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { PortError } from '#ports/port-error.ts';
import { OWN_FOLDER, STAGING } from './below.ts';
import { codeOf, lstatIfThere } from './disk.ts';
import type { Disk } from './disk.ts';
import { readSmallJson } from './small-file.ts';

/** A process as nobody else can be it: ids of processes are given again, their start times and the machine's boot are not. */
export interface LockOwner {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** In clock ticks since boot; empty where the system does not tell. */
  readonly started: string;
}

export interface HeldLock {
  /** Refuses when somebody took the lock away: then nothing more may be written. */
  check(): Promise<void>;
  release(): Promise<void>;
}

const LARGEST_LOCK = 4096;

export async function thisProcess(): Promise<LockOwner> {
  return { host: hostname(), boot: await bootId(), pid: process.pid, started: (await startOf(process.pid)) ?? '' };
}

/** One writer per target. The lock of a process that is gone is taken over; one that may be alive is a conflict. */
export async function takeLock(disk: Disk, base: string, owner: LockOwner): Promise<HeldLock> {
  const lock = join(base, OWN_FOLDER, 'lock');
  const draft = join(base, OWN_FOLDER, STAGING, `lock-${randomUUID()}`);
  await disk.writeNew(draft, `${JSON.stringify(owner)}\n`);
  // A second name for a whole file: the lock is never there half written, and only one process can give it.
  if (!(await linked(disk, draft, lock))) {
    if (await mayBeAlive(lock)) {
      await disk.remove(draft);
      throw new PortError('conflict', `directory target: another process holds ${OWN_FOLDER}/lock; it goes on when that process has ended`);
    }
    await disk.rename(draft, lock);
  } else {
    await disk.remove(draft);
  }
  const mine = (await lstatIfThere(lock))?.ino;

  async function check(): Promise<void> {
    // Two processes may find the same dead lock; the later one wins and the earlier one stops here, before it writes.
    if (mine === undefined || (await lstatIfThere(lock))?.ino !== mine) {
      throw new PortError('conflict', `directory target: another process took ${OWN_FOLDER}/lock over`);
    }
  }
  async function release(): Promise<void> {
    if (mine !== undefined && (await lstatIfThere(lock))?.ino === mine) await disk.remove(lock);
  }
  await check();
  return { check, release };
}

async function linked(disk: Disk, from: string, to: string): Promise<boolean> {
  try {
    await disk.link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function mayBeAlive(lock: string): Promise<boolean> {
  const file = await readSmallJson(lock, LARGEST_LOCK);
  if (file.kind === 'absent') return true;
  if (file.kind === 'unreadable') return false;
  const { host, boot, pid, started } = file.value;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return false;
  // Another machine's processes cannot be seen from here.
  if (host !== hostname()) return true;
  if (boot !== (await bootId())) return false;
  const now = await startOf(pid);
  if (now !== undefined) return started === '' || now === started;
  return (await bootId()) === '' && answersSignals(pid);
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat; undefined where there is no such process or no such file system. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await textIfThere(`/proc/${pid}/stat`);
  return stat
    ?.slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .at(19);
}

async function bootId(): Promise<string> {
  return (await textIfThere('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
}

async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
