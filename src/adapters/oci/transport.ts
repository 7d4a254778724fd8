import { setTimeout as delay } from 'node:timers/promises';

import type { Dispatcher } from 'undici';

import { PortError } from '#ports/port-error.ts';
import type { Authentication } from './authentication.ts';
import { exchange } from './exchange.ts';
import type { Exchange, WireAnswer, WireRequest } from './exchange.ts';
import type { Environment } from './login.ts';
import type { Origins } from './origins.ts';
import { isInner, isLoopback } from './origins.ts';
import type { RegistryLimits } from './registry-limits.ts';
import type { RegistryRequest } from './request.ts';

/** Sends a request until there is an answer that is one; 4xx are answers, everything that may pass was tried again and throws. */
export type Transport = (request: RegistryRequest) => Promise<WireAnswer>;

export interface TransportParts {
  readonly origins: Origins;
  readonly authentication: Authentication;
  readonly limits: RegistryLimits;
  /** Where the proxies of this machine are named. */
  readonly env: Environment;
}

export function registryTransport({ origins, authentication, limits, env }: TransportParts): Transport {
  let lines: Promise<Lines> | undefined;

  async function wire(request: Omit<WireRequest, 'within'>, deadline: number): Promise<Exchange> {
    lines ??= openLines(limits, env);
    const { direct, byProxy } = await lines;
    const dispatcher = isLoopback(request.url.hostname) ? direct : byProxy;
    return exchange(dispatcher, { ...request, within: deadline - performance.now() }, limits);
  }

  /** One try: logs in at most once, follows redirections, and carries the login to no other origin than the registry's. */
  async function once(request: RegistryRequest, deadline: number): Promise<Exchange> {
    const { host, scope } = request;
    const origin = await origins(host);
    let url = ownAddress(request.path, origin, host);
    let isForeign = url.origin !== origin.origin;
    let isRenewed = false;
    for (let redirects = 0; ;) {
      const login = isForeign ? undefined : authentication.known(origin, scope);
      const headers = ['user-agent', 'capstan', 'accept-encoding', 'identity', ...(request.headers ?? [])];
      const exchanged = await wire(
        {
          method: request.method,
          url,
          headers: login === undefined ? headers : [...headers, 'authorization', login.reveal()],
          body: request.body,
          limit: request.limit,
        },
        deadline,
      );
      if (exchanged.kind !== 'answer') return exchanged;
      const { status } = exchanged.answer;
      if (status === 401 && !isForeign && !isRenewed) {
        isRenewed = true;
        const asked = {
          host,
          origin,
          scope,
          refusal: exchanged.answer,
          send: (bought: Omit<WireRequest, 'within'>) => wire(bought, deadline),
        };
        if ((await authentication.answer(asked)) === undefined) return exchanged;
        continue;
      }
      if (!isRedirection(status) || (request.method !== 'GET' && request.method !== 'HEAD')) return exchanged;
      if (++redirects > limits.redirects)
        throw new PortError('invalid', `the registry ${host} redirects more than ${limits.redirects} times`);
      url = redirection(exchanged.answer, url, { origin, host });
      // For good: whoever is sent away and back again may be sent anywhere.
      isForeign ||= url.origin !== origin.origin;
    }
  }

  return async (request) => {
    const { host } = request;
    const deadline = performance.now() + request.within;
    for (let times = 1; ; times++) {
      const exchanged = await once(request, deadline);
      let trouble: string;
      let asked = 0;
      switch (exchanged.kind) {
        case 'too-large':
          throw new PortError('invalid', `the registry ${host} answered with more than ${request.limit} bytes`);
        case 'failed':
          trouble = exchanged.why;
          break;
        case 'answer': {
          const { status, headers } = exchanged.answer;
          if (status === 401 || status === 403)
            throw new PortError('denied', `the registry ${host} refused access to ${request.scope.name} (${status})`);
          if (status !== 429 && status < 500) return exchanged.answer;
          trouble = `answered ${status}`;
          asked = Number(headers['retry-after'] ?? 0) * 1000;
        }
      }
      const wait = Math.max(limits.wait * 2 ** (times - 1), Number.isFinite(asked) ? asked : 0);
      const isHopeless = wait > limits.longestWait || performance.now() + wait > deadline;
      if (!request.isRepeatable || times >= limits.tries || isHopeless) throw new PortError('transient', `the registry ${host} ${trouble}`);
      await delay(wait);
    }
  };
}

interface Lines {
  readonly direct: Dispatcher;
  readonly byProxy: Dispatcher;
}

/** This machine is never reached by a proxy: it would be another machine's loopback. */
async function openLines(limits: RegistryLimits, env: Environment): Promise<Lines> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const connect = { timeout: limits.connect };
  const options = { connect, allowH2: false, pipelining: 1, connections: 8, keepAliveTimeout: 4_000, maxHeaderSize: 64 * 1024 };
  const named = (name: string): string => env[name.toLowerCase()] ?? env[name] ?? '';
  const proxies = { httpProxy: named('HTTP_PROXY'), httpsProxy: named('HTTPS_PROXY'), noProxy: named('NO_PROXY') };
  const direct = new Agent(options);
  const hasProxy = proxies.httpProxy !== '' || proxies.httpsProxy !== '';
  return { direct, byProxy: hasProxy ? new EnvHttpProxyAgent({ ...options, ...proxies }) : direct };
}

function isRedirection(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** An address that the registry gave may be its own in other words: behind a proxy it often takes itself for plain HTTP. */
function ownAddress(path: string, origin: URL, host: string): URL {
  const url = parsedAddress(path, origin, host);
  if (url.host === origin.host) url.protocol = origin.protocol;
  return checkedAddress(url, { origin, host });
}

function redirection({ headers }: WireAnswer, from: URL, registry: { readonly origin: URL; readonly host: string }): URL {
  const location = headers['location'];
  if (typeof location !== 'string') throw new PortError('invalid', `the registry ${registry.host} redirects to nowhere`);
  return checkedAddress(parsedAddress(location, from, registry.host), registry);
}

function parsedAddress(text: string, base: URL, host: string): URL {
  if (text.length > 16_384 || !URL.canParse(text, base.href))
    throw new PortError('invalid', `the registry ${host} gave an address that is none`);
  const url = new URL(text, base.href);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

/** Nobody is led from an encrypted line to an open one, nor from outside to this machine, nor to where clouds keep their credentials. */
function checkedAddress(url: URL, { origin, host }: { readonly origin: URL; readonly host: string }): URL {
  const isOwn = url.origin === origin.origin;
  const isOpenLine = url.protocol === 'http:' && origin.protocol === 'http:';
  if (!isOwn && url.protocol !== 'https:' && !isOpenLine)
    throw new PortError('invalid', `the registry ${host} leads to an address that is not https`);
  if (!isOwn && isInner(url.hostname) && !(isLoopback(url.hostname) && isLoopback(origin.hostname)))
    throw new PortError('invalid', `the registry ${host} leads to an address of this machine or of its nearest network`);
  return url;
}
