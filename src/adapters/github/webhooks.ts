import { createEventHandler, Webhooks } from '@octokit/webhooks';

import type { Secret } from '#model/secret.ts';
import type { WakeUp, WebhookReader, WebhookVerifier } from '#ports/webhooks.ts';

export interface WebhookSecrets {
  readonly current: Secret;
  /** Secrets that still count while senders move to the current one. */
  readonly previous: readonly Secret[];
}

export function octokitVerifier(secrets: WebhookSecrets): WebhookVerifier {
  const current = new Webhooks({ secret: secrets.current.reveal() });
  const previous = secrets.previous.map((secret) => new Webhooks({ secret: secret.reveal() }));
  return {
    async verify(body, signature) {
      if (body.byteLength === 0) return undefined;
      // The library takes text. Bytes that are not UTF-8 come out different and are refused: they could not be JSON either.
      const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
      if (await current.verify(text, signature)) return 'current';
      for (const older of previous) if (await older.verify(text, signature)) return 'previous';
      return undefined;
    },
  };
}

/** Events that have a handler below. The library's own table is a plain object: no name from a header may be looked up in it. */
const CONCERNS = ['ping', 'push', 'pull_request', 'pull_request_review', 'status', 'check_run'] as const;
const FORTY_HEX = /^[0-9a-f]{40}$/;
const LONGEST_TEXT = 512;

/**
 * Reads deliveries by the typed events of @octokit/webhooks. Its types are promises of the sender, and the event's header is not
 * even signed: every field is looked at as unknown before it is believed.
 */
export function octokitReader(): WebhookReader {
  return {
    async read(delivery) {
      const name = CONCERNS.find((known) => known === delivery.event);
      if (name === undefined) return other('event of no concern');
      let found: WakeUp | undefined;
      try {
        const payload = JSON.parse(Buffer.from(delivery.body).toString('utf8'));
        if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return other('body is no object');
        const events = typedEvents((wakeUp) => (found = wakeUp));
        await events.receive({ id: delivery.id, name, payload });
      } catch {
        return other('body is not what its event claims');
      }
      return found ?? other('no handler');
    },
  };
}

function typedEvents(found: (wakeUp: WakeUp) => void): ReturnType<typeof createEventHandler> {
  const events = createEventHandler({});
  events.on('ping', () => found({ kind: 'ping' }));
  events.on('push', ({ payload }) => {
    const ref = text(payload.ref);
    const after = commitText(payload.after);
    found(ref?.startsWith('refs/') === true && after !== undefined ? { kind: 'push', ref, after } : other('not a push'));
  });
  events.on('pull_request', ({ payload }) => {
    const number = counted(payload.number);
    const head = text(payload.pull_request.head.ref);
    const action = text(payload.action);
    found(
      number === undefined || head === undefined || action === undefined
        ? other('not a pull request')
        : { kind: 'pull-request', number, head, action },
    );
  });
  events.on('pull_request_review', ({ payload }) => {
    const number = counted(payload.pull_request.number);
    const head = text(payload.pull_request.head.ref);
    found(number === undefined || head === undefined ? other('not a review') : { kind: 'review', number, head });
  });
  events.on('status', ({ payload }) => found(reading('status', payload.sha, payload.context)));
  events.on('check_run', ({ payload }) => found(reading('check', payload.check_run.head_sha, payload.check_run.name)));
  return events;
}

function reading(kind: 'status' | 'check', sha: unknown, name: unknown): WakeUp {
  const commit = commitText(sha);
  const known = text(name);
  return commit === undefined || known === undefined ? other(`not a ${kind}`) : { kind, commit, name: known };
}

function other(note: string): WakeUp {
  return { kind: 'other', note };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_TEXT ? value : undefined;
}

function commitText(value: unknown): string | undefined {
  return typeof value === 'string' && FORTY_HEX.test(value) ? value : undefined;
}

function counted(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
