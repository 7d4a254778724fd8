import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { runLimited } from './limited-run.ts';
import { bareEnvironment, inScratch } from './scratch.ts';

export type ToolName = 'helm' | 'kustomize' | 'sops';

/** A program file and its sha256. */
export interface ProgramFile {
  readonly path: string;
  readonly sha256: string;
}

export interface ToolPlaces {
  /** Tool -> exact version -> file. */
  readonly configured: Readonly<Partial<Record<ToolName, Readonly<Record<string, ProgramFile>>>>>;
  /** Where a tool is looked for that is not configured at all; the PATH of this process. */
  readonly path: string;
}

export type FoundProgram = { readonly kind: 'found'; readonly path: string } | { readonly kind: 'missing'; readonly found: string };

export interface Programs {
  /** The program of exactly that version. What is configured has the digest that is configured; what lies on PATH says its version itself. */
  find(tool: ToolName, version: string): Promise<FoundProgram>;
  /** Any version: the highest that is configured, or what lies on PATH. For a tool whose answers do not depend on its version. */
  findAny(tool: ToolName): Promise<FoundProgram>;
}

const VERSION_ARGS: Readonly<Record<ToolName, readonly string[]>> = {
  helm: ['version', '--template', '{{.Version}}'],
  kustomize: ['version'],
  sops: ['--version', '--disable-version-check'],
};

/** Digests and versions are asked once for each state of a file. */
export function programs(places: ToolPlaces): Programs {
  const digests = new Map<string, Promise<string>>();
  const versions = new Map<string, Promise<string>>();

  async function find(tool: ToolName, version: string): Promise<FoundProgram> {
    const configured = places.configured[tool];
    if (configured === undefined) return onPath(tool, version);
    const file = Object.hasOwn(configured, version) ? configured[version] : undefined;
    if (file === undefined)
      return missing(`tools.${tool} of the configuration has ${Object.keys(configured).sort().join(', ') || 'no version'}`);
    const state = await stateOf(file.path);
    if (state === undefined) return missing(`${file.path}, which tools.${tool} names, is no program`);
    const digest = await once(digests, state, () => digestOf(file.path));
    if (digest !== file.sha256) return missing(`${file.path} has sha256 ${digest}, not the one that tools.${tool} names`);
    return checked(tool, version, { path: file.path, state });
  }

  async function findAny(tool: ToolName): Promise<FoundProgram> {
    const configured = Object.keys(places.configured[tool] ?? {}).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    const highest = configured.at(-1);
    if (places.configured[tool] !== undefined)
      return highest === undefined ? missing(`tools.${tool} names no version`) : find(tool, highest);
    return (await lookUp(tool)) ?? missing(`there is no ${tool} on PATH`);
  }

  async function onPath(tool: ToolName, version: string): Promise<FoundProgram> {
    const file = await lookUp(tool);
    return file === undefined ? missing(`there is no ${tool} on PATH`) : checked(tool, version, file);
  }

  async function lookUp(tool: ToolName) {
    for (const folder of places.path.split(':')) {
      if (!isAbsolute(folder)) continue;
      const path = join(folder, tool);
      const state = await stateOf(path);
      if (state !== undefined) return { kind: 'found' as const, path, state };
    }
    return undefined;
  }

  async function checked(tool: ToolName, version: string, file: { readonly path: string; readonly state: string }): Promise<FoundProgram> {
    const said = await once(versions, file.state, () => versionOf(tool, file.path));
    return said === version ? { kind: 'found', path: file.path } : missing(`${file.path} is ${tool} ${said || 'of no known version'}`);
  }

  return { find, findAny };
}

function missing(found: string): FoundProgram {
  return { kind: 'missing', found };
}

async function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}

/** A text that differs when the file does; undefined where there is no program. */
async function stateOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const facts = await stat(path, { bigint: true });
    if (!facts.isFile()) return undefined;
    return [path, facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join(' ');
  } catch {
    return undefined;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** The first version in what the program says of itself; empty when it says none. */
async function versionOf(tool: ToolName, program: string): Promise<string> {
  const limits = { milliseconds: 20_000, outputBytes: 64 * 1024, memoryMegabytes: 1024 };
  const end = await inScratch((folder) => runLimited({ program, args: VERSION_ARGS[tool], folder, env: bareEnvironment(folder) }, limits));
  const said = end.kind === 'ended' ? end.stdout.toString('utf8') : '';
  return /v?([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?)/.exec(said)?.[1] ?? '';
}
