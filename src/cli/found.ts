import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { Problem } from '#model/problem.ts';
import { PortError } from '#ports/port-error.ts';
import type { loadConfiguration } from '#service/service.ts';
import type { Place, Terminal } from './powers.ts';

export type Configuration = Extract<Awaited<ReturnType<typeof loadConfiguration>>, { ok: true }>['value'];

/** Where a command works, once it was looked for. */
export interface Found {
  readonly configuration: Configuration | undefined;
  /** Root of the repository, or the folder of the configuration. */
  readonly root: string;
  /** The configuration's repository is looked at, by a mirror of our own. */
  readonly isMirror: boolean;
}

/** `--repo`, else `capstan.yaml` found upward, else the git repository around the caller's directory, which comes first for declarations. */
export async function findPlace(place: Place, terminal: Terminal): Promise<Found> {
  const explicit = place.config === undefined ? undefined : resolve(terminal.cwd, place.config);
  const file = explicit ?? (place.repo === undefined ? await upward(terminal.cwd, 'capstan.yaml') : undefined);
  const configuration = file === undefined ? undefined : await configurationAt(file, 'command', terminal);
  if (place.repo !== undefined) return { configuration, root: resolve(terminal.cwd, place.repo), isMirror: false };
  const git = await upward(terminal.cwd, '.git');
  if (git !== undefined && (file === undefined || place.readsCheckout === true))
    return { configuration, root: dirname(git), isMirror: false };
  if (file !== undefined) return { configuration, root: dirname(file), isMirror: true };
  return { configuration, root: terminal.cwd, isMirror: false };
}

async function upward(from: string, name: string): Promise<string | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, name);
    if ((await stat(path).catch(() => undefined)) !== undefined) return path;
    if (folder === dirname(folder)) return undefined;
  }
}

export async function configurationAt(path: string, purpose: 'service' | 'command', terminal: Terminal): Promise<Configuration> {
  const { loadConfiguration } = await import('#service/service.ts');
  const loaded = await loadConfiguration({ path, env: terminal.env, purpose });
  if (!loaded.ok) throw new PortError('invalid', loaded.problems.map(problemLine).join('\n'));
  terminal.conceal?.(loaded.value.secrets);
  return loaded.value;
}

export function problemLine({ place, message, remedy }: Problem): string {
  return `${place.file ?? 'capstan.yaml'}${place.line === undefined ? '' : `:${place.line}:${place.column ?? 1}`}: ${message}\n    ${remedy}`;
}
