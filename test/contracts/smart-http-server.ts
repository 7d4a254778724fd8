import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { httpBackend } from '#adapters/git/http-backend.ts';

export interface GitServer {
  /** Serves `<folder>/<name>` at `<url>/<name>`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Stock git behind plain HTTP on loopback; with `password`, everybody must know it. */
export async function gitServer(folder: string, password: string | undefined): Promise<GitServer> {
  const backend = httpBackend();
  const server = createServer((request, response) => {
    const expected = password === undefined ? undefined : `Basic ${Buffer.from(`engine:${password}`).toString('base64')}`;
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, name = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    const exchange = async (): Promise<void> => {
      const answer = await backend.serve({
        repositoryPath: join(folder, name),
        method: request.method ?? 'GET',
        pathInfo: rest,
        query: url.search.slice(1),
        contentType: request.headers['content-type'],
        contentEncoding: request.headers['content-encoding'],
        gitProtocol: request.headers['git-protocol']?.toString(),
        remoteUser: 'engine',
        configuration: { 'http.receivepack': 'true' },
        body: request,
      });
      response.writeHead(answer.status, answer.headers);
      await pipeline(Readable.from(answer.body), response);
    };
    exchange().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
