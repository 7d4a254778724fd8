import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';

import { maskOf, NO_MASK } from '#model/secret-mask.ts';
import type { Secret } from '#model/secret.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { gitFailure } from './failures.ts';

/** Bytes of standard output and error that are kept of a child that is run to its end. */
const OUTPUT_BYTES = 64 * 1024 * 1024;
/** Inherited because the network or the program cannot be found without them; everything else git must not see. */
const INHERITED = [
  'PATH',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
];
const LOOPBACK = 'localhost,127.0.0.1,::1,[::1]';

/** How children find the repository, and how many there have been. */
export interface Children {
  /** Runs git to its end; a status in `statuses` is an answer, every other one a PortError. */
  run(args: readonly string[], options: RunOptions): Promise<Finished>;
  start(args: readonly string[]): ChildProcessWithoutNullStreams;
  count(): number;
}

export interface RunOptions {
  /** For the message of a failure: `fetching from the remote`. */
  readonly doing: string;
  readonly stdin?: string | Uint8Array;
  readonly statuses?: readonly number[];
  /** Configuration of this one child, handed over by environment. */
  readonly configuration?: Configuration;
  /** What the child is given and the other side may repeat: no word that comes back has it. */
  readonly secrets?: readonly Secret[];
  readonly signal?: AbortSignal | undefined;
}

/** A secret is revealed to the child alone, in its environment. */
export type Configuration = Readonly<Record<string, string | Secret>>;

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Holds for every child: no hook, no prompt, no replaced object, no helper of the repository's own configuration. */
const CONFIGURATION: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.bigFileThreshold': '32m',
  // What a fetch brings is read at once, and packed later: a lock of a thousand instances is not worth compressing in between.
  'core.looseCompression': '0',
  'credential.helper': '',
  'protocol.ext.allow': 'never',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'http.followRedirects': 'false',
  'submodule.recurse': 'false',
  'push.gpgSign': 'false',
  'log.showSignature': 'false',
};

export function gitChildren(command: string, directory: string): Children {
  let started = 0;

  function child(args: readonly string[], configuration: Configuration): ChildProcessWithoutNullStreams {
    started += 1;
    const made = spawn(command, [`--git-dir=${directory}`, ...args], {
      env: environment({ ...CONFIGURATION, 'safe.directory': directory, ...configuration }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return withStreams(made);
  }

  return {
    count: () => started,
    start: (args) => child(args, {}),
    async run(args, options) {
      if (options.signal?.aborted === true) throw new PortError('transient', `${options.doing}: interrupted`);
      const finished = await finish(child(args, options.configuration ?? {}), options);
      if (finished.status !== 0 && !(options.statuses ?? []).includes(finished.status)) throw gitFailure(options.doing, finished.stderr);
      return finished;
    },
  };
}

/** Where no file descriptors are left, Node makes a child without streams and tells of it later, to whoever listens by then. */
function withStreams(child: ChildProcessWithoutNullStreams): ChildProcessWithoutNullStreams {
  const streams: readonly unknown[] = [child.stdin, child.stdout, child.stderr];
  if (!streams.includes(undefined)) return child;
  child.on('error', () => undefined);
  throw new PortError('transient', 'git could not be started: this process may open no more files');
}

async function finish(child: ChildProcessWithoutNullStreams, options: RunOptions): Promise<Finished> {
  const stop = (): void => void child.kill('SIGTERM');
  options.signal?.addEventListener('abort', stop, { once: true });
  const stdout = collect(child, 'stdout');
  const stderr = collect(child, 'stderr');
  // A child that ends early closes its input; how it ended is said by its status.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin ?? '');
  try {
    const [status] = await once(child, 'close');
    if (options.signal?.aborted === true) throw new PortError('transient', `${options.doing}: interrupted`);
    const mask = options.secrets === undefined ? NO_MASK : maskOf(options.secrets);
    return { status: typeof status === 'number' ? status : -1, stdout: mask(stdout.text()), stderr: mask(stderr.text()) };
  } catch (error) {
    if (isPortError(error)) throw error;
    throw new PortError('unsupported', `${options.doing}: git could not be started`, error);
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

function collect(child: ChildProcessWithoutNullStreams, name: 'stdout' | 'stderr'): { text(): string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  child[name].on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= OUTPUT_BYTES) chunks.push(chunk);
    else child.kill('SIGTERM');
  });
  return { text: () => Buffer.concat(chunks).toString('utf8') };
}

function environment(configuration: Configuration): NodeJS.ProcessEnv {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const noProxy = [process.env['no_proxy'] ?? process.env['NO_PROXY'], LOOPBACK]
    .filter((text) => text !== undefined && text !== '')
    .join(',');
  const pairs = Object.entries(configuration).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, typeof value === 'string' ? value : value.reveal()] as const,
  ]);
  return Object.fromEntries([
    ...inherited,
    ['no_proxy', noProxy],
    ['NO_PROXY', noProxy],
    // Without one, the library that git speaks HTTP with looks the real one up, and takes logins from the .netrc there.
    ['HOME', '/nonexistent'],
    ['LC_ALL', 'C'],
    ['GIT_CONFIG_GLOBAL', '/dev/null'],
    ['GIT_CONFIG_NOSYSTEM', '1'],
    ['GIT_ATTR_NOSYSTEM', '1'],
    ['GIT_TERMINAL_PROMPT', '0'],
    ['GIT_NO_REPLACE_OBJECTS', '1'],
    ['GIT_GRAFT_FILE', '/dev/null'],
    ['GIT_NO_LAZY_FETCH', '1'],
    ['GIT_OPTIONAL_LOCKS', '0'],
    ['GIT_DEFAULT_REF_FORMAT', 'files'],
    ['GIT_DEFAULT_HASH', 'sha1'],
    ['GIT_SSH_COMMAND', 'ssh -o BatchMode=yes'],
    ['GIT_CONFIG_COUNT', String(pairs.length / 2)],
    ...pairs,
  ]);
}
