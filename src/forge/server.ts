import { createHash } from 'node:crypto';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastify from 'fastify';

import type { Answer } from './answer.ts';
import { notFound, refusalAnswer, refusalOf, refuse } from './answer.ts';
import { bodyOf } from './body.ts';
import type { Caller, Route, World } from './call.ts';
import { callerOf } from './tokens.ts';

/** Contents of files come in base64 in JSON. */
const LARGEST_BODY = 64 * 1024 * 1024;
const RATE_LIMIT = 15_000;
const HOUR = 3_600_000;

export function forgeServer(world: World, routes: readonly Route[]): FastifyInstance {
  const app = fastify({ bodyLimit: LARGEST_BODY, logger: false, forceCloseConnections: true, routerOptions: { maxParamLength: 4096 } });
  const spent = new Map<string, { hour: number; used: number }>();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => done(null, text));
  for (const route of routes) {
    const names = parameterNames(route.path);
    app.route({
      method: route.method,
      url: fastifyPath(route.path),
      exposeHeadRoute: false,
      handler: (request, reply) => answerRequest(world, { route, names, spent }, request, reply),
    });
  }
  app.setNotFoundHandler((_request, reply) => send(reply, refusalAnswer(refusalOf(notFound()) ?? never()), ''));
  app.setErrorHandler((error, _request, reply) => failed(world, error, reply));
  return app;
}

function never(): never {
  throw new Error('a refusal without its words');
}

/** `/git/ref/{ref+}` -> `/api/v3/git/ref/*`. */
function fastifyPath(template: string): string {
  return `/api/v3${template.replaceAll(/\{\w+\+\}/g, '*').replaceAll(/\{(\w+)\}/g, ':$1')}`;
}

function parameterNames(template: string): readonly string[] {
  return [...template.matchAll(/\{(\w+)\+?\}/g)].map((match) => match[1] ?? '');
}

interface Serving {
  readonly route: Route;
  readonly names: readonly string[];
  readonly spent: Map<string, { hour: number; used: number }>;
}

async function answerRequest(world: World, serving: Serving, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { route, names, spent } = serving;
  const url = new URL(request.url, 'http://localhost');
  const caller = callerOf(world, request.headers.authorization);
  void reply.headers({ ...rateHeaders(world, caller, spent), ...scopeHeaders(caller) });
  const answer = await route.handle({
    world,
    caller,
    params: parameters(request.params, names),
    query: new Map(url.searchParams),
    body: bodyOf(jsonOf(request.body), route.resource),
    accept: request.headers.accept ?? '',
    path: url.pathname.slice('/api/v3'.length),
  });
  const known = request.headers['if-none-match'];
  return send(reply, answer, request.method === 'GET' && typeof known === 'string' ? known : '');
}

function jsonOf(body: unknown): unknown {
  if (typeof body !== 'string' || body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw refuse(400, 'Problems parsing JSON');
  }
}

function parameters(params: unknown, names: readonly string[]): ReadonlyMap<string, string> {
  const entries = typeof params === 'object' && params !== null ? Object.entries(params) : [];
  const wild = names.at(-1) ?? '';
  return new Map(entries.map(([name, value]) => [name === '*' ? wild : name, String(value)]));
}

function send(reply: FastifyReply, answer: Answer, known: string): FastifyReply {
  void reply.headers({
    'x-github-media-type': 'github.v3; format=json',
    'x-github-api-version-selected': '2022-11-28',
    'cache-control': 'private, max-age=0, must-revalidate',
    ...answer.headers,
  });
  if (answer.body === undefined) return reply.code(answer.status).send();
  const raw = typeof answer.body === 'string';
  const text = raw ? answer.body : JSON.stringify(answer.body);
  const etag = `W/"${createHash('sha256').update(text).digest('hex')}"`;
  if (answer.status === 200) void reply.header('etag', etag);
  if (answer.status === 200 && known.split(/,\s*/).includes(etag)) return reply.code(304).send();
  return reply
    .code(answer.status)
    .type(answer.headers?.['content-type'] ?? 'application/json; charset=utf-8')
    .send(text);
}

/** Counted and shown, never enforced: the forge serves one machine or one lab. */
function rateHeaders(world: World, caller: Caller, spent: Serving['spent']): Readonly<Record<string, string>> {
  const who = caller.kind === 'user' || caller.kind === 'installation' ? caller.account.login : caller.kind;
  const hour = Math.floor(world.clock.now() / HOUR);
  const before = spent.get(who);
  const used = before?.hour === hour ? before.used + 1 : 1;
  spent.set(who, { hour, used });
  return {
    'x-ratelimit-limit': String(RATE_LIMIT),
    'x-ratelimit-remaining': String(Math.max(1, RATE_LIMIT - used)),
    'x-ratelimit-used': String(used),
    'x-ratelimit-reset': String(((hour + 1) * HOUR) / 1000),
    'x-ratelimit-resource': 'core',
  };
}

function scopeHeaders(caller: Caller): Readonly<Record<string, string>> {
  return caller.kind === 'user' ? { 'x-oauth-scopes': caller.scopes.join(', '), 'x-accepted-oauth-scopes': '' } : {};
}

function failed(world: World, error: unknown, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error) ?? refusalOf(transportRefusal(error));
  if (refusal !== undefined) return send(reply, refusalAnswer(refusal), '');
  world.journal.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a request failed');
  return send(
    reply,
    { status: 500, body: { message: 'Server Error', documentation_url: 'https://docs.github.com/rest', status: '500' } },
    '',
  );
}

/** What fastify refuses before a route sees it: a body too large, a broken URL. */
function transportRefusal(error: unknown): Error | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  if (error.statusCode === 413) return refuse(413, 'Request Entity Too Large');
  return error.statusCode < 500 ? refuse(error.statusCode, 'Bad Request') : undefined;
}
