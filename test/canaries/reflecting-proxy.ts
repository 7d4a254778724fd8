import { createServer, request as send } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request: handed on, or refused with a status by a server that repeats everything it was sent. */
export type Manner = 'hand-on' | 401 | 403 | 404 | 409 | 422 | 500 | 'text';

export interface ReflectingProxy {
  readonly url: string;
  /** Of what comes from now on; by default all of it, else what `concerns` says. */
  behave(manner: Manner, concerns?: (path: string, method: string) => boolean): void;
  /** Requests that were reflected. */
  reflected(): number;
  /** Logins that it was sent, as they came and decoded. */
  heard(): string;
  close(): Promise<void>;
}

/**
 * Stands between a client and its server, and exchanges the credentials: the client's own (`given`) mean nothing to the server, which takes
 * `taken`. When told to, it is the worst of servers: it puts into its refusal what it was sent, as it came and decoded.
 */
export async function reflectingProxy(upstream: string | undefined, given: string, taken: string): Promise<ReflectingProxy> {
  let manner: Manner = 'hand-on';
  let concerned: (path: string, method: string) => boolean = () => true;
  let count = 0;
  const heard = new Set<string>();
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    heard.add(authorization).add(Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString('utf8'));
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      if (manner !== 'hand-on' && concerned(request.url ?? '', request.method ?? '')) {
        count += 1;
        reflect(manner, request, response, body);
      } else if (upstream === undefined) response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      else handOn({ upstream, given, taken }, request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    behave(next, concerns = () => true) {
      manner = next;
      concerned = concerns;
    },
    reflected: () => count,
    heard: () => [...heard].join('\n'),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function reflect(manner: Exclude<Manner, 'hand-on'>, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { authorization = 'nothing' } = request.headers;
  const decoded = Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString('utf8');
  const words = `you sent ${authorization} which is ${decoded} and ${body.toString('utf8').slice(0, 400)}`;
  const isGit = /\/(info\/refs|git-[a-z-]+-pack)/.test(request.url ?? '');
  if (manner === 'text' || isGit) {
    response
      .writeHead(manner === 'text' ? 200 : manner, { 'content-type': 'text/plain', 'x-reflected': encodeURIComponent(words) })
      .end(words);
    return;
  }
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: words,
    code: manner,
    documentation_url: `https://x.example/${encodeURIComponent(words)}`,
  };
  response
    .writeHead(manner, {
      'content-type': 'application/json',
      'x-reflected': encodeURIComponent(words),
      'www-authenticate': `Basic realm="${encodeURIComponent(words)}"`,
      warning: `299 - "${encodeURIComponent(words)}"`,
    })
    .end(
      JSON.stringify({
        ...status,
        message: words,
        errors: [{ message: words, code: 'custom' }],
        details: { causes: [{ message: words, field: words }] },
      }),
    );
}

interface Exchanged {
  readonly upstream: string;
  readonly given: string;
  readonly taken: string;
}

function handOn({ upstream, given, taken }: Exchanged, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { authorization, ...others } = request.headers;
  const headers: OutgoingHttpHeaders = { ...others, host: new URL(upstream).host };
  const exchanged = authorization === undefined ? undefined : exchangedHeader(authorization, given, taken);
  if (exchanged !== undefined) headers['authorization'] = exchanged;
  const forwarded = send(new URL(request.url ?? '/', upstream), { method: request.method ?? 'GET', headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  forwarded.on('error', () => response.destroy());
  forwarded.end(body);
}

function exchangedHeader(header: string, given: string, taken: string): string {
  const [scheme = '', value = ''] = header.split(' ');
  if (scheme.toLowerCase() !== 'basic') return header.replace(given, taken);
  const decoded = Buffer.from(value, 'base64').toString('utf8').replace(given, taken);
  return `${scheme} ${Buffer.from(decoded).toString('base64')}`;
}
