import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A loopback proxy that understands nothing of what it carries (TLS passes through) and whose wires can be cut. */
export interface CuttingProxy {
  readonly port: number;
  /** Ends all connections at once, as a reset; new ones are taken. Says how many there were. */
  readonly cut: () => number;
  /** Cuts again and again, until 0 is given. */
  readonly cutEvery: (ms: number) => void;
  /** Everything that comes from the server from now on arrives so much later. */
  readonly delay: (ms: number) => void;
  /** From now on new connections are reset as they come, and the present ones are cut; `false` lets them in again. */
  readonly refuse: (refuses: boolean) => void;
  /** Connections taken so far, refused ones left out. */
  readonly taken: () => number;
  readonly stop: () => Promise<void>;
}

/** Carries connections to a port of 127.0.0.1; `port` of the proxy is free unless given. */
export async function startCuttingProxy(target: number, port = 0): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let [latency, refuses, taken] = [0, false, 0];
  let timer: NodeJS.Timeout | undefined;
  const server = createServer((client) => {
    if (refuses) {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    taken += 1;
    const upstream = connect(target, '127.0.0.1');
    open.add(client);
    const end = (): void => {
      open.delete(client);
      client.resetAndDestroy();
      upstream.destroy();
    };
    client.on('error', end).on('close', end);
    upstream.on('error', end);
    client.pipe(upstream);
    upstream.pipe(later(() => latency)).pipe(client);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): number => {
    const count = open.size;
    for (const client of open) client.resetAndDestroy();
    return count;
  };
  return {
    port: Object(server.address()).port as number,
    cut,
    cutEvery: (ms) => {
      clearInterval(timer);
      timer = ms === 0 ? undefined : setInterval(cut, ms);
    },
    delay: (ms) => (latency = ms),
    refuse: (now) => {
      refuses = now;
      if (now) cut();
    },
    taken: () => taken,
    stop: async () => {
      clearInterval(timer);
      const closed = once(server.close(), 'close');
      cut();
      await closed;
    },
  };
}

/** Holds each piece back for the milliseconds that hold when it comes; pieces stay in order and do not wait for one another. */
function later(latency: () => number): Transform {
  const held: { readonly piece: Buffer; isDue: boolean }[] = [];
  let whenEmpty: (() => void) | undefined;
  const release = (): void => {
    while (held[0]?.isDue === true) pass.push(held.shift()?.piece);
    if (held.length === 0) whenEmpty?.();
  };
  const pass = new Transform({
    transform(piece: Buffer, _encoding, done) {
      const ms = latency();
      if (ms === 0 && held.length === 0) {
        done(null, piece);
        return;
      }
      const one = { piece, isDue: false };
      held.push(one);
      setTimeout(() => {
        one.isDue = true;
        if (!pass.destroyed) release();
      }, ms);
      done();
    },
    flush(done) {
      whenEmpty = done;
      release();
    },
  });
  return pass;
}
