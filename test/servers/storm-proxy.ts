import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as send } from 'node:https';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream';

import { writeKubeconfig } from './kubernetes.ts';
import type { KubernetesUser, RunningKubernetes } from './kubernetes.ts';

export interface Storm {
  readonly status: 429 | 503 | 500;
  /** Of all requests that `hits` names, from 0 (none) to 1 (every one); spread evenly, not by chance. */
  readonly share: number;
  /** Seconds of `Retry-After`; without it the header is missing. */
  readonly retryAfter?: number;
  /** Default: every request. */
  readonly hits?: (method: string, path: string) => boolean;
}

/** A reverse proxy before an API server that answers a share of the requests itself, as an overloaded server does. */
export interface StormProxy {
  readonly url: string;
  /** Of the user that the proxy was started for. Its certificate is the API server's own, which is for 127.0.0.1 at every port. */
  readonly kubeconfig: string;
  /** Undefined: fair weather. */
  readonly set: (storm: Storm | undefined) => void;
  /** The server gets the next such request and does it; its answer never comes back, and the connection breaks. */
  readonly loseAnswer: (hits: (method: string, path: string) => boolean) => void;
  /** Requests answered by the storm, and those passed on. */
  readonly counts: () => { readonly refused: number; readonly passed: number };
  readonly stop: () => Promise<void>;
}

export async function startStormProxy(kubernetes: RunningKubernetes, user: KubernetesUser = kubernetes): Promise<StormProxy> {
  let storm: Storm | undefined;
  let lost: Storm['hits'];
  let [due, refused, passed] = [0, 0, 0];
  const { certificateAuthority: cert, certificateFile } = kubernetes;
  const key = readFileSync(join(dirname(certificateFile), 'apiserver.key'));
  const agent = new Agent({ keepAlive: true, ca: cert });
  const server = createServer({ cert, key }, (request, response) => {
    const now = storm;
    const { method = 'GET', url = '/' } = request;
    if (now !== undefined && (now.hits?.(method, url) ?? true) && (due += now.share) >= 1 - 1e-9) {
      due -= 1;
      refused += 1;
      request.resume();
      refuse(response, now);
      return;
    }
    passed += 1;
    const isLost = lost?.(method, url) ?? false;
    if (isLost) lost = undefined;
    pass(request, response, { url: `${kubernetes.url}${url}`, agent, isLost });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = Object(server.address()) as { readonly port: number };
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = join(dirname(user.kubeconfig), `kubeconfig-through-${port}`);
  writeKubeconfig(kubeconfig, { url, certificateFile, name: user.name, token: user.token });
  return {
    url,
    kubeconfig,
    set: (next) => {
      storm = next;
      due = 0;
    },
    loseAnswer: (hits) => {
      lost = hits;
    },
    counts: () => ({ refused, passed }),
    stop: async () => {
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, { status, retryAfter }: Storm): void {
  const reasons = { 429: 'TooManyRequests', 503: 'ServiceUnavailable', 500: 'InternalError' } as const;
  const said = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'a storm',
    reason: reasons[status],
    code: status,
  };
  const wait = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  response.writeHead(status, { 'content-type': 'application/json', ...wait }).end(JSON.stringify(said));
}

interface Onward {
  readonly url: string;
  readonly agent: Agent;
  readonly isLost: boolean;
}

function pass(request: IncomingMessage, response: ServerResponse, to: Onward): void {
  const onward = send(to.url, { method: request.method, headers: request.headers, agent: to.agent }, (answer) => {
    if (to.isLost) {
      answer.resume();
      response.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // A watch says nothing for long: its headers go out at once.
    response.flushHeaders();
    pipeline(answer, response, () => {});
  });
  pipeline(request, onward, (error) => {
    if (error !== null && error !== undefined) response.destroy();
  });
  response.on('close', () => onward.destroy());
}
