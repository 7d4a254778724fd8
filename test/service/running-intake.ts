import { createHmac } from 'node:crypto';
import { connect } from 'node:net';

import { webhookVerifier } from '#adapters/github/github.ts';
import { randomIds, systemClock } from '#adapters/machine/machine.ts';
import { toSecret } from '#model/secret.ts';
import type { Inbox } from '#ports/inbox.ts';
import type { Journal } from '#ports/machine.ts';
import { webhookIntake, type IntakeResult } from '#service/intake.ts';
import { httpServer, type ServerLimits } from '#service/server.ts';
import { memoryInbox } from '#test/contracts/memory-inbox.ts';

export const SECRET = 'current-webhook-secret';
export const OLD_SECRET = 'former-webhook-secret';

export const silent: Journal = { info() {}, warn() {}, error() {}, debug() {} };

export interface RunningIntake {
  readonly port: number;
  readonly inbox: Inbox;
  /** How each delivery ended, with the secret that fitted. */
  readonly counted: string[];
  readonly lines: string[];
  post(body: string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<{ status: number; text: string }>;
  /** Sends bytes as they are and collects the answer until the connection ends. */
  raw(pieces: AsyncIterable<string | Uint8Array> | readonly (string | Uint8Array)[]): Promise<string>;
  close(): Promise<void>;
}

export interface IntakeWishes {
  readonly limit?: number;
  readonly inbox?: Inbox;
  readonly limits?: Partial<ServerLimits>;
}

export async function runningIntake(wishes: IntakeWishes = {}): Promise<RunningIntake> {
  const inbox = wishes.inbox ?? memoryInbox();
  const counted: string[] = [];
  const lines: string[] = [];
  const journal: Journal = { ...silent, error: (fields, message) => lines.push(JSON.stringify(fields) + message) };
  const webhook = webhookIntake({
    inbox,
    verifier: webhookVerifier({ current: toSecret(SECRET), previous: [toSecret(OLD_SECRET)] }),
    clock: systemClock,
    ids: randomIds(),
    journal,
    limit: wishes.limit ?? 5 * 1024 * 1024,
    linger: 200,
    counted: (result: IntakeResult, key) => counted.push(key === undefined ? result : `${result} ${key}`),
    arrived: () => {},
  });
  const app = httpServer({
    ids: randomIds(),
    journal,
    limits: { headersTimeout: 5000, requestTimeout: 10_000, connections: 256, checkEvery: 1000, ...wishes.limits },
    webhook,
    version: '1.2.3',
    isReady: () => true,
    metrics: async () => ({ contentType: 'text/plain', text: 'capstan_up 1\n' }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const port = Number(new URL(url).port);
  return {
    port,
    inbox,
    counted,
    lines,
    async post(body, headers = {}) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
      const answer = await fetch(`${url}/webhooks/github`, { method: 'POST', body: bytes, headers: { ...delivery(body), ...headers } });
      return { status: answer.status, text: await answer.text() };
    },
    async raw(pieces) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
      for await (const piece of pieces) {
        if (socket.destroyed) break;
        if (!socket.write(piece))
          await new Promise<void>((resolve) => {
            socket.once('drain', resolve);
            socket.once('close', () => resolve());
          });
      }
      await closed;
      return text;
    },
    async close() {
      app.server.closeAllConnections();
      await app.close();
      await inbox.close();
    },
  };
}

let serial = 0;

/** The headers of a well-signed push with a delivery id of its own. */
export function delivery(body: string | Uint8Array, secret = SECRET): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': `00000000-0000-4000-8000-${String(serial++).padStart(12, '0')}`,
    'x-hub-signature-256': signature(body, secret),
  };
}

export function signature(body: string | Uint8Array, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
