import { connect } from 'node:net';

/** Sends one prepared body over keep-alive connections as fast as answers come; raw sockets, so that the load costs less than what it measures. */
const [port, prefix, seconds, connections, signature] = process.argv.slice(2);
const parts: Buffer[] = [];
for await (const chunk of process.stdin) parts.push(chunk);
const body = Buffer.concat(parts);

let serial = 0;
let accepted = 0;
let failed = 0;
const times: number[] = [];
const began = performance.now();
const until = began + Number(seconds) * 1000;

await Promise.all(Array.from({ length: Number(connections) }, () => work()));
times.sort((a, b) => a - b);
const share = (part: number): number => Math.round((times[Math.floor(times.length * part)] ?? 0) * 100) / 100;
console.log(
  JSON.stringify({ accepted, failed, seconds: (performance.now() - began) / 1000, p50: share(0.5), p95: share(0.95), p99: share(0.99) }),
);

function work(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    let sent = 0;
    let pending = '';
    const next = (): void => {
      if (performance.now() >= until) {
        socket.destroy();
        resolve();
        return;
      }
      sent = performance.now();
      socket.cork();
      socket.write(
        `POST /webhooks/github HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-github-event: push\r\n` +
          `x-github-delivery: ${prefix}-${serial++}\r\nx-hub-signature-256: ${signature}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      socket.write(body);
      socket.uncork();
    };
    socket.setNoDelay(true);
    socket.on('connect', next);
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      const head = pending.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(pending);
      if (head < 0 || length === null || pending.length < head + 4 + Number(length[1])) return;
      if (pending.startsWith('HTTP/1.1 202')) accepted++;
      else failed++;
      times.push(performance.now() - sent);
      pending = '';
      next();
    });
    socket.on('error', () => {
      failed++;
      resolve();
    });
  });
}
