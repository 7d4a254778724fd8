import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { SmartHttp, SmartHttpRequest } from '#ports/smart-http.ts';
import { findRepository, permissionOf } from './access.ts';
import { refusalOf } from './answer.ts';
import type { Caller, World } from './call.ts';
import { protectionOf, pushRefusals } from './protection-rules.ts';
import type { ReceiveRequest, RefusedRef } from './receive-commands.ts';
import { LARGEST_COMMAND_LIST, parseReceiveRequest, refusalReport } from './receive-commands.ts';
import { syncRefs } from './ref-sync.ts';
import { callerOf } from './tokens.ts';
import type { At } from './view-commit.ts';

const ZERO = '0'.repeat(40);
const SERVICES = ['git-upload-pack', 'git-receive-pack'];

/** Git over HTTP at `/{owner}/{repo}.git`; `.git` may be left out as on GitHub. */
export async function gitTraffic(app: FastifyInstance, world: World, smartHttp: SmartHttp): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    scope.route({ method: 'GET', url: '/:owner/:repo/info/refs', handler: (request, reply) => serve(world, smartHttp, request, reply) });
    for (const service of SERVICES) {
      scope.route({
        method: 'POST',
        url: `/:owner/:repo/${service}`,
        handler: (request, reply) => serve(world, smartHttp, request, reply),
      });
    }
    done();
  });
}

async function serve(world: World, smartHttp: SmartHttp, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const url = new URL(request.url, 'http://localhost');
  const service =
    url.pathname.split('/').at(-1) === 'refs' ? (url.searchParams.get('service') ?? '') : (url.pathname.split('/').at(-1) ?? '');
  const writes = service === 'git-receive-pack';
  const caller = callerOrNobody(world, request.headers.authorization);
  const at = repositoryOf(world, request.params);
  const permission = at === undefined || caller === undefined ? undefined : permissionOf(world, caller, at.row, at.owner);
  if (caller === undefined || (caller.kind === 'anonymous' && (writes || permission?.pull !== true))) return askForToken(reply);
  if (at === undefined || permission?.pull !== true) return words(reply, 404, 'Repository not found.');
  if (!SERVICES.includes(service)) return words(reply, 403, 'Please upgrade your git client.');
  if (writes && !permission.push) {
    return words(reply, 403, `Permission to ${at.owner.login}/${at.row.name}.git denied to ${loginOf(caller)}.`);
  }
  const exchange: SmartHttpRequest = {
    repositoryPath: world.repositories.path(at.row.id),
    method: request.method,
    pathInfo: request.method === 'GET' ? '/info/refs' : `/${service}`,
    query: url.search.slice(1),
    contentType: request.headers['content-type'],
    contentEncoding: textHeader(request.headers['content-encoding']),
    gitProtocol: textHeader(request.headers['git-protocol']),
    remoteUser: caller.kind === 'anonymous' ? undefined : loginOf(caller),
    configuration: {},
    body: request.method === 'GET' ? Readable.from([]) : request.raw,
  };
  return writes && request.method === 'POST' ? push(world, smartHttp, { at, caller, exchange }, reply) : relay(smartHttp, exchange, reply);
}

async function relay(smartHttp: SmartHttp, exchange: SmartHttpRequest, reply: FastifyReply): Promise<FastifyReply> {
  const response = await smartHttp.serve(exchange);
  return reply.code(response.status).headers(response.headers).send(Readable.from(response.body));
}

interface Push {
  readonly at: At;
  readonly caller: Caller;
  readonly exchange: SmartHttpRequest;
}

/** Judges the command list before git sees it: what is refused never reaches the repository. */
async function push(world: World, smartHttp: SmartHttp, of: Push, reply: FastifyReply): Promise<FastifyReply> {
  const { at, exchange } = of;
  const zipped = exchange.contentEncoding === 'gzip' || exchange.contentEncoding === 'x-gzip';
  const source = zipped ? Readable.from(exchange.body).pipe(createGunzip()) : Readable.from(exchange.body);
  const bytes = source[Symbol.asyncIterator]();
  const head = await commandList(bytes);
  if (head.kind === 'invalid') return words(reply, 400, `The request was refused: ${head.reason}.`);
  const { refused, said } = judge(world, of, head.request);
  if (refused.length > 0) {
    // Git reads the answer only after it has sent everything.
    while ((await bytes.next()).done !== true);
    const body = refusalReport(head.request, refused, said);
    return reply.code(200).header('content-type', 'application/x-git-receive-pack-result').header('cache-control', 'no-cache').send(body);
  }
  const response = await smartHttp.serve({
    ...exchange,
    contentEncoding: undefined,
    configuration: guards(world, at, head.request),
    body: rejoined(head.seen, bytes),
  });
  // Read to its end even if the client is gone: what git did must be followed. The answer to a push is short.
  const answer: Uint8Array[] = [];
  for await (const chunk of response.body) answer.push(chunk);
  await follow(world, of);
  return reply.code(response.status).headers(response.headers).send(Buffer.concat(answer));
}

type Bytes = AsyncIterator<unknown>;

async function commandList(
  bytes: Bytes,
): Promise<{ kind: 'complete'; request: ReceiveRequest; seen: Buffer } | { kind: 'invalid'; reason: string }> {
  let seen = Buffer.alloc(0);
  while (true) {
    const next = await bytes.next();
    if (next.done === true) return { kind: 'invalid', reason: 'it ended too early' };
    if (Buffer.isBuffer(next.value)) seen = Buffer.concat([seen, next.value]);
    const parse = parseReceiveRequest(seen);
    if (parse.kind === 'complete') return { ...parse, seen };
    if (parse.kind === 'invalid') return parse;
    if (seen.length > LARGEST_COMMAND_LIST) return { kind: 'invalid', reason: 'too many references at once' };
  }
}

async function* rejoined(head: Buffer, rest: Bytes): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    if (Buffer.isBuffer(next.value)) yield next.value;
  }
}

/** Before the answer, so that a client which returns from `git push` finds pull requests moved and webhooks queued. */
async function follow(world: World, of: Push): Promise<void> {
  const { at, caller } = of;
  const sender = caller.kind === 'user' || caller.kind === 'installation' ? caller.account : at.owner;
  await world.repositories
    .exclusive(at.row.id, () => syncRefs(world, at, sender))
    .catch((error: unknown) =>
      world.journal.error({ repository: at.row.id, error: String(error) }, 'refs could not be followed after a push'),
    );
}

function judge(
  world: World,
  of: Push,
  request: ReceiveRequest,
): { readonly refused: readonly RefusedRef[]; readonly said: readonly string[] } {
  const { at, caller } = of;
  const refused: RefusedRef[] = [];
  const said: string[] = [];
  for (const command of request.commands) {
    const branch = command.ref.startsWith('refs/heads/') ? command.ref.slice('refs/heads/'.length) : undefined;
    if (branch === undefined || (caller.kind !== 'user' && caller.kind !== 'installation')) continue;
    const after = command.after === ZERO ? undefined : command.after;
    const reasons = pushRefusals(world, at, caller.account, { branch, after });
    if (reasons.length === 0) continue;
    refused.push({ ref: command.ref, reason: 'protected branch hook declined' });
    said.push(`error: GH006: Protected branch update failed for ${command.ref}.`, ...reasons.map((reason) => `error: ${reason}`));
  }
  return { refused, said };
}

/** Whether a push goes back in history is known only once git has the objects; git itself then refuses. */
function guards(world: World, at: At, request: ReceiveRequest): Readonly<Record<string, string>> {
  const rules = request.commands.map((command) => protectionOf(world, at, command.ref.replace(/^refs\/heads\//, '')));
  return rules.some((rule) => rule !== undefined && !rule.allowForcePushes) ? { 'receive.denyNonFastForwards': 'true' } : {};
}

function callerOrNobody(world: World, header: string | undefined): Caller | undefined {
  try {
    return callerOf(world, header);
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return undefined;
  }
}

function repositoryOf(world: World, params: unknown): At | undefined {
  if (typeof params !== 'object' || params === null || !('owner' in params) || !('repo' in params)) return undefined;
  return findRepository(world, String(params.owner), String(params.repo).replace(/\.git$/, ''));
}

function loginOf(caller: Caller): string {
  return caller.kind === 'user' || caller.kind === 'installation' ? caller.account.login : 'anonymous';
}

function textHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function askForToken(reply: FastifyReply): FastifyReply {
  return reply
    .header('www-authenticate', 'Basic realm="GitHub"')
    .code(401)
    .type('text/plain')
    .send('Authentication required: give a token as the password.\n');
}

function words(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain').send(`${text}\n`);
}
