import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { connect } from 'node:net';

/**
 * Sends pushes over keep-alive connections as fast as answers come; raw sockets, so that the load costs less than what it measures.
 * Bodies are made like a forge's: most of one is the same links as in the next, and commits, times and words are its own.
 */
const [port, prefix, seconds, connections, size, secret] = process.argv.slice(2);

interface Prepared {
  readonly body: Buffer;
  readonly signature: string;
}

const prepared: readonly Prepared[] = Array.from({ length: 256 }, () => {
  const body = Buffer.from(pushPayload(Number(size)));
  return { body, signature: `sha256=${createHmac('sha256', String(secret)).update(body).digest('hex')}` };
});

function pushPayload(bytes: number): string {
  const commits: object[] = [];
  const links = Object.fromEntries(
    [
      'keys',
      'teams',
      'hooks',
      'issue_events',
      'events',
      'assignees',
      'branches',
      'tags',
      'blobs',
      'git_tags',
      'git_refs',
      'trees',
      'statuses',
      'languages',
      'stargazers',
      'contributors',
      'subscribers',
      'commits',
      'comments',
      'contents',
      'compare',
      'merges',
      'archive',
      'downloads',
      'issues',
      'pulls',
      'milestones',
      'notifications',
      'labels',
      'releases',
      'deployments',
    ].map((name) => [`${name}_url`, `https://api.github.com/repos/acme/platform/${name}{/id}`]),
  );
  const people = ['ada', 'grace', 'edsger', 'barbara'];
  const frame = {
    ref: 'refs/heads/main',
    before: randomBytes(20).toString('hex'),
    after: randomBytes(20).toString('hex'),
    repository: { id: 4711, node_id: 'R_kgDOABCDEF', name: 'platform', full_name: 'acme/platform', private: true, ...links },
    pusher: { name: people[randomInt(4)], email: 'people@acme.example' },
    commits,
  };
  while (JSON.stringify(frame).length < bytes - 700) {
    const id = randomBytes(20).toString('hex');
    const author = people[randomInt(4)];
    commits.push({
      id,
      tree_id: randomBytes(20).toString('hex'),
      message: `capsule ${randomInt(1000)}: ${randomBytes(randomInt(60)).toString('base64')}`,
      timestamp: new Date(1.7e12 + randomInt(1e9)).toISOString(),
      url: `https://github.com/acme/platform/commit/${id}`,
      author: { name: author, email: `${author}@acme.example`, username: author },
      modified: [`capsules/web-${randomInt(1000)}/capsule.yaml`, `environments/dev/lock.yaml`],
    });
  }
  const text = JSON.stringify(frame);
  return `${text.slice(0, -1)}${' '.repeat(Math.max(0, bytes - text.length))}}`;
}

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
      const one = prepared[serial % prepared.length];
      if (one === undefined) throw new Error('nothing is prepared');
      socket.cork();
      socket.write(
        `POST /webhooks/github HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-github-event: push\r\n` +
          `x-github-delivery: ${prefix}-${serial++}\r\nx-hub-signature-256: ${one.signature}\r\ncontent-length: ${one.body.length}\r\n\r\n`,
      );
      socket.write(one.body);
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
