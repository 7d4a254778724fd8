import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import fastify, { type FastifyInstance } from 'fastify';

import type { Ids, Journal } from '#ports/machine.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may ask. Only `public` exists yet: a route without a rule stops the start. */
    access?: 'public';
  }
}

export interface ServerLimits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connections: number;
  /** How often Node looks for connections whose time is over. */
  readonly checkEvery: number;
}

export const USUAL_LIMITS: ServerLimits = { headersTimeout: 5_000, requestTimeout: 10_000, connections: 1024, checkEvery: 1_000 };

export interface ServerParts {
  readonly ids: Ids;
  readonly journal: Journal;
  readonly limits: ServerLimits;
  readonly webhook: (request: IncomingMessage, response: ServerResponse) => void;
  readonly version: string;
  readonly isReady: () => boolean;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

const WEBHOOK_PATH = '/webhooks/github';

export function httpServer(parts: ServerParts): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 1024,
    forceCloseConnections: 'idle',
    serverFactory: (handler) => listenerFor(parts, handler),
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) throw new Error(`route ${route.url} has no access rule`);
  });
  app.setErrorHandler((error, _request, reply) => {
    const correlation = parts.ids.traceId();
    const status = statusOf(error);
    if (status >= 500) {
      const reason = error instanceof Error ? error.message : 'unknown';
      parts.journal.error({ correlation, reason }, 'a request failed');
    }
    return reply.code(status).type('text/plain; charset=utf-8').send(`request refused; correlation ${correlation}\n`);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain; charset=utf-8').send('not found\n'));
  addRoutes(app, parts);
  return app;
}

function addRoutes(app: FastifyInstance, parts: ServerParts): void {
  const config = { access: 'public' } as const;
  app.get('/livez', { config }, async (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', { config }, async (_request, reply) => {
    const isReady = parts.isReady();
    return reply
      .code(isReady ? 200 : 503)
      .type('text/plain')
      .send(isReady ? 'ok\n' : 'the first full look is not done\n');
  });
  app.get('/version', { config }, async () => ({ name: 'capstan', version: parts.version }));
  app.get('/metrics', { config }, async (_request, reply) => {
    const { contentType, text } = await parts.metrics();
    return reply.header('content-type', contentType).send(text);
  });
}

/** The webhook route is decided before fastify: it must see the raw bytes, and it carries the load. */
function listenerFor(parts: ServerParts, handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const { limits } = parts;
  const server = createServer(
    {
      headersTimeout: limits.headersTimeout,
      requestTimeout: limits.requestTimeout,
      connectionsCheckingInterval: limits.checkEvery,
      keepAliveTimeout: 30_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => (isWebhook(request.url) ? parts.webhook(request, response) : handler(request, response)),
  );
  server.maxConnections = limits.connections;
  return server;
}

function isWebhook(url: string | undefined): boolean {
  return url === WEBHOOK_PATH || url?.startsWith(`${WEBHOOK_PATH}?`) === true;
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' && error.statusCode >= 400 ? error.statusCode : 500;
}
