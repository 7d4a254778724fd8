import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { PortError } from '#ports/port-error.ts';
import type { SmartHttp, SmartHttpRequest, SmartHttpResponse } from '#ports/smart-http.ts';

/** CGI answers begin with headers; more than this before the blank line is not one. */
const LARGEST_HEAD = 64 * 1024;
const ABSENT =
  'git http-backend is not installed: it comes with the package git (Debian, Ubuntu, Alpine: git-daemon; Fedora: git-core; macOS: git of Homebrew or Xcode)';

/** Whether this machine's git can serve HTTP; undefined if it can, else what is missing, in words for a person. */
export function smartHttpMissing(): string | undefined {
  const found = spawnSync('git', ['--exec-path'], { encoding: 'utf8', env: childEnvironment() });
  if (found.status !== 0) return 'git is not installed';
  const directory = found.stdout.trim();
  return ['git-http-backend', 'git-http-backend.exe'].some((name) => existsSync(join(directory, name))) ? undefined : ABSENT;
}

/** Git's smart HTTP protocol for bare repositories, one `git http-backend` child per request, bodies streamed both ways. */
export function httpBackend(): SmartHttp {
  return { serve: (request) => exchange(request) };
}

function exchange(request: SmartHttpRequest): Promise<SmartHttpResponse> {
  const child = spawn('git', ['http-backend'], {
    env: { ...childEnvironment(), ...cgiVariables(request) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const streams: readonly unknown[] = [child.stdin, child.stdout, child.stderr];
  if (streams.includes(undefined)) {
    // No file descriptors are left: Node tells of it later, to whoever listens by then.
    child.on('error', () => undefined);
    return Promise.reject(new PortError('transient', 'git could not be started: this process may open no more files'));
  }
  const complaint: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 16) complaint.push(chunk);
  });
  // A child that has said no closes its input early; what it answered counts, not the broken pipe.
  pipeline(Readable.from(request.body), child.stdin).catch(() => child.stdin.destroy());
  return new Promise((resolve, reject) => {
    child.once('error', (cause: Error) => reject(new PortError('unsupported', 'git could not be started', cause)));
    readHead(child.stdout).then(
      ({ head, rest }) => resolve({ ...parseHead(head), body: bodyOf(child.stdout, rest) }),
      () => {
        child.kill();
        const said = Buffer.concat(complaint).toString('utf8');
        reject(
          new PortError(
            said.includes('not a git command') ? 'unsupported' : 'transient',
            said.includes('not a git command') ? ABSENT : 'git http-backend gave no answer',
          ),
        );
      },
    );
  });
}

/** Nothing of the caller's git configuration, prompts or proxies; the engine's own variables are not passed on either. */
function childEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C',
    NO_PROXY: '127.0.0.1,localhost,::1',
  };
}

function cgiVariables(request: SmartHttpRequest): Record<string, string> {
  const configuration = Object.entries({ 'safe.directory': request.repositoryPath, ...request.configuration });
  return {
    REQUEST_METHOD: request.method,
    GIT_PROJECT_ROOT: request.repositoryPath,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: request.pathInfo,
    QUERY_STRING: request.query,
    REMOTE_ADDR: '127.0.0.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    ...optional('CONTENT_TYPE', request.contentType),
    ...optional('HTTP_CONTENT_ENCODING', request.contentEncoding),
    ...optional('GIT_PROTOCOL', request.gitProtocol),
    ...optional('REMOTE_USER', request.remoteUser),
    GIT_CONFIG_COUNT: String(configuration.length),
    ...Object.fromEntries(
      configuration.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  };
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

async function readHead(output: Readable): Promise<{ readonly head: string; readonly rest: Buffer }> {
  let seen = Buffer.alloc(0);
  while (true) {
    const chunk = await nextChunk(output);
    if (chunk === undefined) throw new Error('no answer');
    seen = Buffer.concat([seen, chunk]);
    const end = seen.indexOf('\r\n\r\n');
    if (end !== -1) return { head: seen.subarray(0, end).toString('latin1'), rest: seen.subarray(end + 4) };
    if (seen.length > LARGEST_HEAD) throw new Error('no head');
  }
}

/** Takes one chunk and leaves the stream open, unlike an iterator. */
function nextChunk(output: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    function settle(): void {
      const chunk: unknown = output.read();
      if (chunk === null) return;
      leave();
      resolve(Buffer.isBuffer(chunk) ? chunk : undefined);
    }
    function ended(): void {
      leave();
      resolve(undefined);
    }
    function failed(error: Error): void {
      leave();
      reject(error);
    }
    function leave(): void {
      output.off('readable', settle).off('end', ended).off('error', failed);
    }
    output.on('readable', settle).on('end', ended).on('error', failed);
  });
}

function parseHead(head: string): { readonly status: number; readonly headers: Readonly<Record<string, string>> } {
  const headers = new Map<string, string>();
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const status = Number.parseInt(headers.get('status') ?? '200', 10);
  headers.delete('status');
  return { status, headers: Object.fromEntries(headers) };
}

async function* bodyOf(output: Readable, rest: Buffer): AsyncGenerator<Uint8Array> {
  if (rest.length > 0) yield rest;
  for await (const chunk of output) {
    if (Buffer.isBuffer(chunk)) yield chunk;
  }
}
