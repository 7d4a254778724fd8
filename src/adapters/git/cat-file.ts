import type { ChildProcessWithoutNullStreams } from 'node:child_process';

import type { ObjectType } from '#model/git-objects.ts';
import type { Found } from '#ports/object-source.ts';
import { isPortError, PortError } from '#ports/port-error.ts';

/** Bytes of an object that is too long which are read past; a longer rest costs the process, which is started again. */
const SKIPPED_BYTES = 4 * 1024 * 1024;
const ATTEMPTS = 3;

interface Request {
  readonly id: string;
  /** Negative asks whether it is there only. */
  readonly maximumBytes: number;
  attempts: number;
  readonly answer: (found: Found) => void;
  readonly fail: (error: PortError) => void;
}

/** The object whose bytes are arriving. */
interface Body {
  readonly type: ObjectType;
  readonly content: Buffer | undefined;
  readonly bytes: number;
  received: number;
}

export interface CatFile {
  read(ids: readonly string[], maximumBytes: number): Promise<readonly Found[]>;
  /** Which of these are there. */
  present(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Nothing is being read. */
  isIdle(): boolean;
  /** Ends the process; the next read starts another. */
  stop(): void;
}

/**
 * One long-lived `git cat-file --batch-command` for all readers: what is asked in one turn of the event loop is one exchange.
 * `complained` hears when git writes to standard error, which it does over damage only.
 */
export function catFile(start: () => ChildProcessWithoutNullStreams, complained: () => void): CatFile {
  let child: ChildProcessWithoutNullStreams | undefined;
  let waiting: Request[] = [];
  let asked: Request[] = [];
  let answered = 0;
  let body: Body | undefined;
  let rest: Buffer = Buffer.alloc(0);

  function ask(id: string, maximumBytes: number): Promise<Found> {
    return new Promise((answer, fail) => {
      waiting.push({ id, maximumBytes, attempts: 0, answer, fail });
      if (waiting.length === 1) setImmediate(exchange);
    });
  }

  function exchange(): void {
    if (waiting.length === 0) return;
    try {
      child ??= started();
    } catch (error) {
      refuseAll(isPortError(error) ? error : new PortError('transient', 'git could not be started', error));
      return;
    }
    const fresh = waiting;
    waiting = [];
    asked = [...asked.slice(answered), ...fresh];
    answered = 0;
    const lines = fresh.map((request) => `${request.maximumBytes < 0 ? 'info' : 'contents'} ${request.id}\n`);
    child.stdin.write(`${lines.join('')}flush\n`);
  }

  function refuseAll(why: PortError): void {
    const open = [...asked.slice(answered), ...waiting];
    waiting = [];
    asked = [];
    answered = 0;
    for (const request of open) request.fail(why);
  }

  function started(): ChildProcessWithoutNullStreams {
    const fresh = start();
    const ended = (): void => lost(fresh);
    fresh.on('error', ended);
    fresh.on('close', ended);
    // A write to a process that is going away fails here as well; `close` follows and asks again.
    fresh.stdin.on('error', () => undefined);
    fresh.stderr.on('data', complained);
    fresh.stdout.on('data', (chunk: Buffer) => {
      if (child === fresh) take(chunk);
    });
    return fresh;
  }

  /** Whatever was asked and not answered is asked again of a new process. */
  function lost(gone: ChildProcessWithoutNullStreams): void {
    if (child !== gone) return;
    child = undefined;
    body = undefined;
    rest = Buffer.alloc(0);
    const open = asked.slice(answered);
    asked = [];
    answered = 0;
    const again: Request[] = [];
    for (const [index, request] of open.entries()) {
      if (index === 0) request.attempts += 1;
      if (request.attempts < ATTEMPTS) again.push(request);
      else request.fail(new PortError('transient', `object ${request.id} cannot be read: git ends while reading it`));
    }
    const idle = waiting.length === 0;
    waiting = [...again, ...waiting];
    if (idle && waiting.length > 0) setImmediate(exchange);
  }

  function take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && child !== undefined) {
      at = body === undefined ? header(chunk, at) : content(body, chunk, at);
    }
  }

  /** Returns how far the chunk was used. */
  function header(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(0x0a, at);
    const end = newline < 0 ? chunk.length : newline;
    const line = Buffer.concat([rest, chunk.subarray(at, end)]);
    rest = newline < 0 ? line : Buffer.alloc(0);
    if (newline >= 0) begin(line.toString('latin1'));
    return end + 1;
  }

  function begin(line: string): void {
    const request = asked[answered];
    const [, type, size] = line.split(' ');
    if (request === undefined || type === undefined) throw new Error(`git cat-file answers unasked: ${line.slice(0, 80)}`);
    if (type === 'missing' || type === 'ambiguous' || size === undefined) return finish({ kind: 'missing' });
    const bytes = Number(size);
    if (request.maximumBytes < 0) return finish({ kind: 'too-long', type: toType(type), bytes });
    if (bytes <= request.maximumBytes) {
      body = { type: toType(type), content: Buffer.allocUnsafeSlow(bytes), bytes, received: 0 };
      return;
    }
    if (bytes <= SKIPPED_BYTES) {
      body = { type: toType(type), content: undefined, bytes, received: 0 };
      return;
    }
    finish({ kind: 'too-long', type: toType(type), bytes });
    const slow = child;
    if (slow === undefined) return;
    slow.kill('SIGKILL');
    lost(slow);
  }

  function content(current: Body, chunk: Buffer, at: number): number {
    const used = Math.min(chunk.length - at, current.bytes - current.received);
    current.content?.set(chunk.subarray(at, at + used), current.received);
    current.received += used;
    if (at + used === chunk.length) return chunk.length;
    body = undefined;
    finish(
      current.content === undefined
        ? { kind: 'too-long', type: current.type, bytes: current.bytes }
        : { kind: 'object', type: current.type, content: current.content },
    );
    // The newline behind every object.
    return at + used + 1;
  }

  function finish(found: Found): void {
    const request = asked[answered];
    answered += 1;
    request?.answer(found);
  }

  return {
    read: async (ids, maximumBytes) => await Promise.all(ids.map((id) => ask(id, maximumBytes))),
    async present(ids) {
      const found = await Promise.all(ids.map((id) => ask(id, -1)));
      return new Set(ids.filter((_, index) => found[index]?.kind !== 'missing'));
    },
    isIdle: () => waiting.length === 0 && asked.length === answered,
    stop() {
      const gone = child;
      if (gone === undefined) return;
      gone.stdin.end();
      lost(gone);
    },
  };
}

function toType(text: string): ObjectType {
  switch (text) {
    case 'commit':
    case 'tree':
    case 'blob':
    case 'tag':
      return text;
    default:
      throw new PortError('invalid', `git names an object type ${JSON.stringify(text.slice(0, 20))}`);
  }
}
