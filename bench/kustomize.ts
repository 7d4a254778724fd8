import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** How the stock renderer is started, and which it is. */
export interface Kustomize {
  readonly program: string;
  readonly verb: string;
  readonly version: string;
}

/** The last version that a Go of 1.26 builds. */
const VERSION = 'v5.8.2';
const MODULE = `sigs.k8s.io/kustomize/kustomize/v5@${VERSION}`;

/** kustomize where it is on the path, else kubectl's, else one built by Go into the user's cache; undefined, with words on stderr, where all fail. */
export async function findKustomize(): Promise<Kustomize | undefined> {
  const folder = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'capstan-test-servers',
    `kustomize-${VERSION}-${process.arch}`,
  );
  const built = join(folder, 'kustomize');
  const there =
    started('kustomize', 'build', ['version']) ??
    started('kubectl', 'kustomize', ['version', '--client']) ??
    started(built, 'build', ['version']);
  if (there !== undefined) return there;
  console.error(`neither kustomize nor kubectl is on the path: building ${MODULE} with go`);
  try {
    await mkdir(folder, { recursive: true });
    execFileSync('go', ['install', MODULE], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, GOBIN: folder } });
  } catch (error) {
    console.error(`THERE IS NO STOCK PIPELINE TO COMPARE WITH: ${error instanceof Error ? error.message : 'go failed'}`);
    return undefined;
  }
  return existsSync(built) ? started(built, 'build', ['version']) : undefined;
}

function started(program: string, verb: string, question: readonly string[]): Kustomize | undefined {
  try {
    const text = execFileSync(program, question, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return { program, verb, version: text.trim().split('\n').join(', ') };
  } catch {
    return undefined;
  }
}
