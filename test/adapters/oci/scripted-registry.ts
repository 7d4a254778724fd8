import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface ScriptedRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** What was asked, in order. */
  readonly requests: readonly Request[];
  close(): Promise<void>;
}

export type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Uint8Array }
  /** Does what it likes with the answer. */
  | ((response: ServerResponse) => void)
  | undefined;

/** An HTTP server on loopback that answers as a test says; what it is not told is 404. */
export async function scriptedRegistry(answer: (request: Request) => Answer): Promise<ScriptedRegistry> {
  const requests: Request[] = [];
  const server = createServer((incoming, response) => void respond(incoming, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${Object(server.address()).port}`;

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      authorization: incoming.headers.authorization,
      body: Buffer.concat(pieces).toString('latin1'),
    };
    requests.push(request);
    response.on('error', () => undefined);
    const said = answer(request);
    if (typeof said === 'function') {
      said(response);
      return;
    }
    response.writeHead(said?.status ?? 404, said?.headers ?? {});
    response.end(said?.body);
  }

  return {
    host,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Writes until nobody listens any more; `taken` is told how many bytes went out. */
export function pour(response: ServerResponse, taken: (bytes: number) => void): void {
  const piece = Buffer.alloc(64 * 1024, 0x20);
  const more = (): void => {
    while (!response.destroyed) {
      taken(piece.length);
      if (!response.write(piece)) return;
    }
  };
  response.on('drain', more);
  more();
}
