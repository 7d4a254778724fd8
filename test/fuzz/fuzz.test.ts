import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { FuzzReport } from './fuzz-process.ts';
import { FUZZ_KINDS, type FuzzKind } from './inputs.ts';

/** `npm run test:fuzz` sets 100,000 over all kinds; every test run takes a sample. */
const RUNS = Number(process.env['CAPSTAN_FUZZ_RUNS'] ?? 3000);
const SEED = Number(process.env['CAPSTAN_FUZZ_SEED'] ?? 20261121);
const MEBIBYTES = 512;

/** A process of its own: a hang is ended, a crash is seen, memory is its own. */
async function fuzz(kind: FuzzKind): Promise<FuzzReport> {
  const program = join(import.meta.dirname, 'fuzz-process.ts');
  const runs = String(Math.ceil(RUNS / FUZZ_KINDS.length));
  const child = spawn(process.execPath, [`--max-old-space-size=${MEBIBYTES / 2}`, program, kind, runs, String(SEED)], {
    timeout: 3_000_000,
    killSignal: 'SIGKILL',
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const ended = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(`code ${code}, signal ${signal}`));
  });
  if (out === '') throw new Error(`the process ended with ${ended}: ${err.slice(-2000)}`);
  return JSON.parse(out) as FuzzReport;
}

test.each(FUZZ_KINDS)('no %s makes a reader crash, hang, grow or speak of its insides', async (kind) => {
  const report = await fuzz(kind);

  console.log(`${kind}: ${report.runs} inputs, slowest ${report.slowest.toFixed(0)} ms, ${report.memory.toFixed(0)} MiB`);
  expect(report.failure).toBe(undefined);
  expect(report.runs).toBeGreaterThanOrEqual(RUNS / FUZZ_KINDS.length);
  expect(report.memory).toBeLessThan(MEBIBYTES);
});
