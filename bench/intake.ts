import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';

/**
 * Webhook intake beside a bare node:http server that does the same HMAC and stores nothing: three processes (ours, bare, the load),
 * rounds in turn, reported as the ratio of accepted requests per second; afterwards the rows of the database are counted.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    bytes: { type: 'string', default: '12288' },
    json: { type: 'boolean', default: false },
  },
});
const SECRET = 'bench-secret-of-no-value';

interface Report {
  readonly accepted: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const root = await mkdtemp(join(tmpdir(), 'capstan-intake-'));
const database = join(root, 'state.db');
try {
  const ours = await start('ours', [database]);
  const bare = await start('bare', []);
  await round(ours.port, 'warm-ours', 1);
  await round(bare.port, 'warm-bare', 1);
  const results: { readonly ours: Report; readonly bare: Report }[] = [];
  for (let n = 0; n < Number(values.rounds); n++) {
    results.push({
      bare: await round(bare.port, `bare${n}`, Number(values.seconds)),
      ours: await round(ours.port, `ours${n}`, Number(values.seconds)),
    });
  }
  await Promise.all([stop(ours.child), stop(bare.child)]);
  report(results);
} finally {
  await rm(root, { recursive: true, force: true });
}

function report(results: readonly { readonly ours: Report; readonly bare: Report }[]): void {
  const ratios = results.map((one) => one.ours.accepted / one.ours.seconds / (one.bare.accepted / one.bare.seconds)).sort((a, b) => a - b);
  const accepted = results.reduce((sum, one) => sum + one.ours.accepted, 0);
  const failed = results.reduce((sum, one) => sum + one.ours.failed, 0);
  const rows = countRows();
  const answer = {
    benchmark: 'intake',
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    bytes: Number(values.bytes),
    ratio: { min: ratios[0], median: ratios[Math.floor(ratios.length / 2)], max: ratios.at(-1), goal: 0.8 },
    rounds: results.map((one) => ({
      oursPerSecond: Math.round(one.ours.accepted / one.ours.seconds),
      barePerSecond: Math.round(one.bare.accepted / one.bare.seconds),
      oursMilliseconds: { p50: one.ours.p50, p95: one.ours.p95, p99: one.ours.p99 },
    })),
    accepted,
    failed,
    rows,
    lost: Math.max(0, accepted - rows),
  };
  console.log(JSON.stringify(answer, undefined, values.json ? undefined : 2));
  if (answer.lost > 0 || accepted === 0) process.exitCode = 1;
}

/** Rows of the measured rounds; the warming one has ids of its own. */
function countRows(): number {
  const open = new DatabaseSync(database, { readOnly: true });
  const row = open.prepare("SELECT count(*) AS n FROM delivery WHERE id LIKE 'ours%'").get();
  open.close();
  return Number(row?.['n'] ?? 0);
}

async function start(name: 'ours' | 'bare', args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [new URL(`./intake-${name}.ts`, import.meta.url).pathname, SECRET, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(String(line)) };
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function round(port: number, prefix: string, seconds: number): Promise<Report> {
  const load = spawn(
    process.execPath,
    [
      new URL('./intake-load.ts', import.meta.url).pathname,
      String(port),
      prefix,
      String(seconds),
      String(values.connections),
      String(values.bytes),
      SECRET,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  for await (const chunk of load.stdout) text += String(chunk);
  return JSON.parse(text);
}
