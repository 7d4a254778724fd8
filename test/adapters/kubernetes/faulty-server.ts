import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Connection } from '#adapters/kubernetes/connection.ts';
import { openConnection } from '#adapters/kubernetes/connection.ts';
import type { TransportLimits } from '#adapters/kubernetes/transport-limits.ts';
import type { Issued } from './certificates.ts';

/** A server of a test's own making on loopback, and a kubeconfig that leads to it. */
export interface FaultyServer {
  readonly url: string;
  readonly port: number;
  readonly kubeconfig: string;
  /** Connections that it accepted. */
  readonly connections: () => number;
  connect(limits?: Partial<TransportLimits>): Promise<Connection>;
  stop(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface FaultyOptions {
  /** Serve TLS with this. */
  readonly certificate?: Issued;
  readonly authority?: string;
  readonly port?: number;
  /** Fields of the cluster and user entries. */
  readonly cluster?: object;
  readonly user?: object;
}

/** Waits of a test are short, patience is bounded; no test sleeps. */
export const SHORT: Partial<TransportLimits> = { wait: 1, longestWait: 4, patience: 5_000, firstPatience: 50, tries: 8 };

export async function faultyServer(answer: Answer, options: FaultyOptions = {}): Promise<FaultyServer> {
  const { certificate } = options;
  const listener: RequestListener = (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => answer(request, response, Buffer.concat(pieces).toString('utf8')));
  };
  const server =
    certificate === undefined ? createHttpServer(listener) : createHttpsServer({ cert: certificate.cert, key: certificate.key }, listener);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const scratch = mkdtempSync(join(tmpdir(), 'capstan-faulty-'));
  const kubeconfig = join(scratch, 'config');
  if (options.authority !== undefined) writeFileSync(join(scratch, 'ca.crt'), options.authority);
  const cluster = { server: url, ...(options.authority === undefined ? {} : { 'certificate-authority': 'ca.crt' }), ...options.cluster };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'eu', cluster }],
      users: [{ name: 'capstan', user: options.user ?? { token: 'abc' } }],
      contexts: [{ name: 'prod', context: { cluster: 'eu', user: 'capstan' } }],
      'current-context': 'prod',
    }),
  );
  return {
    url,
    port,
    kubeconfig,
    connections: () => connections,
    connect: (limits) => openConnection({ source: { kind: 'kubeconfig', file: kubeconfig }, limits: { ...SHORT, ...limits } }),
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(scratch, { recursive: true });
    },
  };
}

export function json(response: ServerResponse, status: number, body: object, headers: Record<string, string | string[]> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
