import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';

import { overlaid } from '#loops/overlay.ts';
import type { Snapshot } from '#loops/reading.ts';
import type { ReadingWorld } from '#loops/world.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { countOf, printable } from './output.ts';
import type { OpenedWorld, Terminal } from './powers.ts';

/** Where declarations lie; `.git` itself, without what is below it, tells of commits. */
const WATCHED = ['environments', 'capsules', 'policies', '.github'];
/** A change is looked at when nothing more came for so long, and at the latest after the second. */
const QUIET_MS = 80;
const LATEST_MS = 1000;
/** Where the system cannot tell of changes (no inotify watches left, a network file system). */
const POLL_MS = 2000;

/** Looks at the working directory, and again at each change until the signal; every look does the work of what changed. */
export async function watchDirectory(
  opened: OpenedWorld,
  terminal: Terminal,
  look: (world: ReadingWorld, snapshot: Snapshot) => Promise<void>,
): Promise<number> {
  const { workingDirectory } = opened;
  if (workingDirectory === undefined) throw new UsageError('--watch needs a working directory; this repository is bare or a mirror');
  const { world, replace } = overlaid(opened);
  const changes = watchChanges(opened.path, terminal);
  let last = '';
  try {
    while (!terminal.signal.aborted) {
      const began = performance.now();
      const before = { ...world.reading.counts(), ...opened.renderer.counts(), ...workingDirectory.counts() };
      const { tree, reader } = await workingDirectory.snapshot();
      const head = await opened.repository.resolve('HEAD');
      // An editor that touches files, or a commit of what was seen, changes nothing.
      const now = `${tree} ${head ?? ''}`;
      if (now !== last) {
        replace(reader);
        await look(world, { tree, commit: undefined });
        last = now;
        const after = { ...world.reading.counts(), ...opened.renderer.counts(), ...workingDirectory.counts() };
        const work = `${countOf(after.reads - before.reads, 'file')} read, ${after.parses - before.parses} parsed, ${after.renders - before.renders} rendered`;
        terminal.say(`${work}, ${Math.round(performance.now() - began)} ms; waiting for changes\n`);
      }
      await changes.next(terminal.signal);
    }
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
  } finally {
    changes.close();
  }
  return EXIT.interrupted;
}

interface Changes {
  /** Resolves after a change that was followed by quiet, or when the signal comes. */
  next(signal: AbortSignal): Promise<void>;
  close(): void;
}

function watchChanges(root: string, terminal: Terminal): Changes {
  const watchers: FSWatcher[] = [];
  let changed = false;
  let wake: () => void = () => undefined;
  let poll: NodeJS.Timeout | undefined;
  const onChange = (): void => {
    changed = true;
    wake();
  };
  const fallBack = (error: unknown): void => {
    if (poll !== undefined) return;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    terminal.say(`the system cannot watch every folder (${printable(reason)}); looking every ${POLL_MS / 1000} s instead\n`);
    poll = setInterval(onChange, POLL_MS);
  };
  for (const [folder, recursive] of [...WATCHED.map((name) => [name, true] as const), ['', false] as const, ['.git', false] as const]) {
    try {
      const watcher = watch(join(root, folder), { recursive }, onChange);
      watcher.on('error', fallBack);
      watchers.push(watcher);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))) fallBack(error);
    }
  }

  async function next(signal: AbortSignal): Promise<void> {
    const pause = (milliseconds: number | undefined): Promise<void> =>
      new Promise((resolve) => {
        const timer = milliseconds === undefined ? undefined : setTimeout(done, milliseconds);
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          wake = () => undefined;
          resolve();
        }
        wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    if (signal.aborted) return;
    if (!changed) await pause(undefined);
    const latest = performance.now() + LATEST_MS;
    while (!signal.aborted && changed && performance.now() < latest) {
      changed = false;
      await pause(QUIET_MS);
    }
    changed = false;
  }

  return {
    next,
    close: () => {
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}
