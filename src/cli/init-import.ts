import { access, constants } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

import type { ArrivedFile, LeftOut, Mapped, SourceKind } from '#model/arrival.ts';
import { isName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Invocation } from './cli.ts';
import { UsageError } from './exit-code.ts';
import { packLuggage } from './luggage.ts';
import type { Terminal } from './powers.ts';

const KINDS: readonly SourceKind[] = ['argocd', 'flux', 'helm', 'kustomize'];

/** `--from DIR`, or `--from argocd DIR`: what is brought, and the words that are left. */
export interface Source {
  readonly kind: SourceKind;
  readonly root: string;
  readonly namespace: string;
  readonly environment: string;
  readonly words: readonly string[];
}

export interface ImportedSource {
  readonly source: Source;
  readonly files: readonly ArrivedFile[];
  readonly environments: readonly string[];
  readonly mapped: readonly Mapped[];
  readonly leftOut: readonly LeftOut[];
  readonly differences: readonly { readonly file: string; readonly line: number; readonly object: string; readonly what: string }[];
  readonly notCompared: readonly NotCompared[];
  readonly problems: readonly Problem[];
}

/** A capsule whose rendering was not compared with what was there. */
export interface NotCompared {
  readonly file: string;
  readonly why: string;
}

export function sourceOf(options: Invocation['options'], words: readonly string[], terminal: Terminal): Source | undefined {
  const { from, namespace = 'default', environment = 'dev' } = options;
  if (typeof from !== 'string') {
    const lost = ['namespace', 'environment'].find((name) => options[name] !== undefined);
    if (lost !== undefined) throw new UsageError(`--${lost} says something about --from, which is missing`);
    return undefined;
  }
  if (typeof namespace !== 'string' || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace))
    throw new UsageError('--namespace takes the name of a namespace');
  if (typeof environment !== 'string' || !isName(environment))
    throw new UsageError('--environment takes a name of lower-case letters, digits and hyphens, at most 40');
  const kind = KINDS.find((one) => one === from);
  if (kind === undefined) return { kind: 'manifests', root: resolve(terminal.cwd, from), namespace, environment, words };
  const [folder, ...rest] = words;
  if (folder === undefined)
    throw new UsageError(`--from ${kind} needs the folder to read: capstan init --from ${kind} DIRECTORY [PLATFORM]`);
  return { kind, root: resolve(terminal.cwd, folder), namespace, environment, words: rest };
}

/** Reads the source and plans what to write. */
export async function importSource(source: Source, terminal: Terminal): Promise<ImportedSource> {
  const luggage = await packLuggage(source.root, terminal.signal);
  const { planArrival } = await import('#loops/arrive.ts');
  const { kind, namespace, environment } = source;
  const { arrival, differences, foreign, problems } = await planArrival({ kind, luggage, namespace, environment, signal: terminal.signal });
  // What takes releases by itself comes first: that is where to begin.
  const isEntry = (file: ArrivedFile): boolean => String(file.content).includes('environments: []');
  const declared = [...arrival.files.filter(isEntry), ...arrival.files.filter((file) => !isEntry(file))];
  const environments = declared.flatMap((file) => /^environments\/([^/]+)\/environment\.yaml$/.exec(file.path)?.[1] ?? []);
  const { files, mapped, leftOut } = arrival;
  const notCompared: NotCompared[] = [];
  for (const { file, tool, version } of foreign) {
    const isHere = await isOnPath(tool, terminal.env['PATH'] ?? '');
    const why = isHere ? `init runs no ${tool}: \`capstan validate\` renders it with ${tool} ${version}` : `${tool} ${version} is not here`;
    notCompared.push({ file, why });
  }
  return { source, files, environments, mapped, leftOut, differences, notCompared, problems };
}

async function isOnPath(program: string, path: string): Promise<boolean> {
  for (const folder of path.split(delimiter).filter((one) => one !== '')) {
    const isThere = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}
