import type { Octokit } from '@octokit/rest';

import type { Secret } from '#model/secret.ts';
import type { Journal } from '#ports/machine.ts';
import { cleanAnswer } from './clean-answer.ts';

export type GithubAuth =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'app'; readonly id: number; readonly installation: number; readonly privateKey: Secret };

export interface GithubOptions {
  /** REST root: `https://api.github.com`, `http://127.0.0.1:3000/api/v3`. */
  readonly baseUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly auth: GithubAuth;
  readonly journal: Journal;
  /** GitHub asks for a second between writes; a forge of one's own need not be spared. Default: spare all but loopback. */
  readonly paced?: boolean;
  /** Milliseconds that one second of waiting takes; for tests. */
  readonly second?: number;
}

/** One logged-in client of one repository. Loaded when first needed: @octokit takes its time. */
export interface GithubClient {
  readonly options: GithubOptions;
  /** The owner and name that every repository route takes. */
  readonly at: { readonly owner: string; readonly repo: string };
  octokit(): Promise<Octokit>;
  requests(): number;
}

const REQUEST_TIMEOUT = 30_000;
/** A longer wait is not slept through here: it goes to the queue as `transient`. */
const LONGEST_WAIT = 10;
const RETRIES = 2;
const CACHED_ANSWERS = 300;

export function githubClient(options: GithubOptions): GithubClient {
  let requests = 0;
  let made: Promise<Octokit> | undefined;

  async function counting(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    requests++;
    const answer = await fetch(input, { ...init, signal: init?.signal ?? AbortSignal.timeout(REQUEST_TIMEOUT) });
    return cleanAnswer(answer, init);
  }

  return {
    options,
    at: { owner: options.owner, repo: options.repo },
    octokit() {
      made ??= connect(options, counting);
      return made;
    },
    requests: () => requests,
  };
}

async function connect(options: GithubOptions, counting: typeof fetch): Promise<Octokit> {
  const [{ Octokit: Plain }, { throttling }, { retry }] = await Promise.all([
    import('@octokit/rest'),
    import('@octokit/plugin-throttling'),
    import('@octokit/plugin-retry'),
  ]);
  const Client = Plain.plugin(throttling, retry);
  const octokit = new Client({
    ...(await loginOf(options.auth)),
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    userAgent: 'capstan',
    log: quietLog(options.journal),
    request: { fetch: counting },
    retry: { retries: RETRIES, retryAfterBaseValue: options.second ?? 1000 },
    throttle: throttleOf(options),
  });
  // Only what reads may be sent again: a write that timed out may have happened, and the loops look before they write.
  octokit.hook.before('request', (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') request.request.retries = 0;
  });
  rememberAnswers(octokit);
  return octokit;
}

async function loginOf(auth: GithubAuth): Promise<object> {
  switch (auth.kind) {
    case 'token':
      return { auth: auth.token.reveal() };
    case 'app': {
      const { createAppAuth } = await import('@octokit/auth-app');
      return {
        authStrategy: createAppAuth,
        auth: { appId: auth.id, installationId: auth.installation, privateKey: auth.privateKey.reveal() },
      };
    }
  }
}

type Login = { readonly method: string; readonly url: string };

function throttleOf(options: GithubOptions): object {
  const decide =
    (limit: string) =>
    (wait: number, request: Login, _octokit: unknown, retryCount: number): boolean => {
      const again = wait <= LONGEST_WAIT && retryCount < 1;
      options.journal.warn({ limit, wait, method: request.method, again }, 'the forge limits our requests');
      return again;
    };
  const handlers = {
    id: `${options.baseUrl} ${options.owner}/${options.repo} ${options.auth.kind}`,
    retryAfterBaseValue: options.second ?? 1000,
    onRateLimit: decide('primary'),
    onSecondaryRateLimit: decide('secondary'),
  };
  const isPaced = options.paced ?? !isLoopback(options.baseUrl);
  return isPaced ? handlers : { ...handlers, write: UNPACED, notifications: UNPACED };
}

/** Takes the place of the plugin's limiters between writes. */
const UNPACED = {
  key: () => ({ schedule: <T>(_options: object, run: (...args: unknown[]) => T, ...args: unknown[]): T => run(...args) }),
};

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(hostname);
}

/** Asks with If-None-Match what was asked before: an unchanged answer costs the forge nothing and counts against no limit. */
function rememberAnswers(octokit: Octokit): void {
  type Answer = Awaited<ReturnType<Octokit['request']>>;
  const known = new Map<string, { readonly etag: string; readonly answer: Answer }>();
  octokit.hook.wrap('request', async (request, options) => {
    if (options.method !== 'GET') return request(options);
    const { url } = octokit.request.endpoint(options);
    const before = known.get(url);
    if (before !== undefined) options.headers['if-none-match'] = before.etag;
    try {
      const answer = await request(options);
      const { etag } = answer.headers;
      known.delete(url);
      // Pagination rewrites the answer that it is given.
      if (typeof etag === 'string') known.set(url, { etag, answer: structuredClone(answer) });
      const [oldest] = known.keys();
      if (known.size > CACHED_ANSWERS && oldest !== undefined) known.delete(oldest);
      return answer;
    } catch (error) {
      if (before === undefined || !(error instanceof Error) || !('status' in error) || error.status !== 304) throw error;
      return structuredClone(before.answer);
    }
  });
}

/** octokit writes its own lines; requests are counted elsewhere, and warnings belong into the log. */
function quietLog(journal: Journal): Readonly<Record<'debug' | 'info' | 'warn' | 'error', (message: string) => void>> {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (message) => journal.debug({ detail: String(message).slice(0, 300) }, 'the forge client warns'),
    error: (message) => journal.debug({ detail: String(message).slice(0, 300) }, 'the forge client reports an error'),
  };
}
