import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';

import { githubEvents, webhookVerifier } from '#adapters/github/github.ts';
import { systemChance, systemClock, systemTimers } from '#adapters/machine/machine.ts';
import { sqliteInbox } from '#adapters/sqlite/sqlite.ts';
import { createLooker } from '#loops/look.ts';
import type { Snapshot } from '#loops/reading.ts';
import { renderedDifference, type RenderedDifference } from '#loops/rendered-difference.ts';
import type { World } from '#loops/world.ts';
import { type CommitId, toCommitId } from '#model/digest.ts';
import { branchRef } from '#model/names.ts';
import { toSecret } from '#model/secret.ts';
import { startService } from '#service/service.ts';
import type { GeneratedChange } from './generate.ts';
import { openWorld, quietJournal } from './world.ts';

/** Milliseconds from the last byte of the webhook: until the look began, had fetched and read, and the difference was at hand. */
export interface PushTiming {
  readonly woken: number;
  readonly looked: number;
  readonly whole: number;
  readonly difference: RenderedDifference;
}

export interface Engine {
  /** Milliseconds of the first look: everything read and rendered once. */
  readonly first: number;
  push(change: GeneratedChange): Promise<PushTiming>;
  counts(): Readonly<Record<'renders' | 'parses' | 'blobs' | 'trees' | 'forks' | 'remoteCalls', number>>;
  close(): Promise<void>;
}

interface Turn {
  woken: number;
  looked: number;
  done: number;
  difference: RenderedDifference;
}

const SECRET = 'bench-secret-of-no-value';
const NEVER = 24 * 3_600_000;

/** The real service (intake, inbox, queue) over the real git, render workers and loops; its one work is to look and to render the difference. */
export async function startEngine(options: { readonly folder: string; readonly remote: string }): Promise<Engine> {
  const { world, close } = await openWorld({ folder: options.folder, remote: { url: options.remote } });
  const looker = createLooker(world);
  const inbox = await sqliteInbox(join(options.folder, 'state.db'));
  let last: Snapshot | undefined;
  let waiting: ((turn: Turn) => void) | undefined;

  async function look(signal: AbortSignal): Promise<void> {
    const woken = performance.now();
    await looker.look(signal);
    const main = await mainOf(world);
    const looked = performance.now();
    await world.history.upTo(main);
    const next = await world.reading.at(main);
    const difference = await renderedDifference(world, { base: last ?? (await emptyOf(world)), head: next, only: [] }, signal);
    last = next;
    waiting?.({ woken, looked, done: performance.now(), difference });
  }

  const begin = performance.now();
  const started = new Promise<Turn>((resolve) => (waiting = resolve));
  const settled = { ending: { kind: 'settled' }, wakes: [] } as const;
  const service = await startService({
    settings: {
      listen: { host: '127.0.0.1', port: 0 },
      webhookUrl: undefined,
      poll: NEVER,
      drift: NEVER,
      jitter: 0,
      sweep: NEVER,
      bodyLimit: 5 * 1024 * 1024,
      concurrency: 4,
    },
    work: {
      look: async (_trigger, signal) => {
        await look(signal);
        return { ...settled, environments: [] };
      },
      reconcile: async () => settled,
      promote: async () => settled,
      check: async () => settled,
    },
    inbox,
    verifier: webhookVerifier({ current: toSecret(SECRET), previous: [] }),
    reader: githubEvents(),
    forge: { redeliverFailed: async () => 0 },
    clock: systemClock,
    timers: systemTimers,
    chance: systemChance,
    ids: world.ids,
    journal: quietJournal,
    version: world.settings.version,
  });
  const opened = await started;
  if (opened.difference.problems.length > 0) throw new Error(JSON.stringify(opened.difference.problems[0]));
  const agent = new Agent({ keepAlive: true });

  return {
    first: opened.done - begin,
    async push(change) {
      const turn = new Promise<Turn>((resolve) => (waiting = resolve));
      const sent = await deliver(`${service.url}/webhooks/github`, pushEvent(change), agent);
      const { woken, looked, done, difference } = await turn;
      return { woken: woken - sent, looked: looked - sent, whole: done - sent, difference };
    },
    counts() {
      const git = world.repository.counts();
      return {
        renders: world.renderer.counts().renders,
        parses: world.reading.counts().parses,
        blobs: git.blobsRead,
        trees: git.treesRead,
        forks: git.forks,
        remoteCalls: git.remoteCalls,
      };
    },
    async close() {
      agent.destroy();
      await service.stop(10_000);
      await close();
    },
  };
}

/** Sends all of a delivery but its last byte, and answers when that byte was handed to the socket. */
function deliver(url: string, body: Buffer, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': signature,
    };
    let sent = 0;
    const outgoing = httpRequest(url, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      if (response.statusCode === 202) response.once('end', () => resolve(sent));
      else reject(new Error(`the intake answered ${response.statusCode}`));
    });
    outgoing.once('error', reject);
    outgoing.write(body.subarray(0, -1), () => {
      sent = performance.now();
      outgoing.end(body.subarray(-1));
    });
  });
}

/** A push event of the usual size (about 8 KiB), as far as the engine reads it. */
function pushEvent(change: GeneratedChange): Buffer {
  const repository = { id: 1, name: 'bench', full_name: 'acme/bench', private: true, owner: { login: 'acme', id: 2 } };
  const padding = Object.fromEntries(
    Array.from({ length: 90 }, (_, at) => [`field_${at}_url`, `https://forge.example/api/repos/acme/bench/${at}`]),
  );
  const commits = [change.release, change.tip].map((id) => ({
    id,
    message: change.capsule,
    author: { name: 'ada', email: 'ada@example.com' },
  }));
  const payload = {
    ref: 'refs/heads/main',
    before: change.before,
    after: change.tip,
    repository: { ...repository, ...padding },
    pusher: { name: 'ada', email: 'ada@example.com' },
    sender: { login: 'ada', id: 3 },
    commits,
    head_commit: commits.at(-1),
  };
  return Buffer.from(JSON.stringify(payload));
}

async function mainOf(world: World): Promise<CommitId> {
  const main = (await world.repository.refs()).get(branchRef('main'));
  if (main === undefined) throw new Error('the mirror has no main');
  return toCommitId(main);
}

/** Nothing declared: the difference to it renders everything. */
async function emptyOf(world: World): Promise<Snapshot> {
  return { tree: await world.repository.writeTree(undefined, []), commit: undefined };
}
