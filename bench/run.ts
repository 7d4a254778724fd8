import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { promotionInLargeRepository } from './promotion.ts';
import { measureSize, type SizeResult } from './push.ts';
import { printPromotion, printSizes, verdictsOf } from './report.ts';
import { kustomizeCommand } from './stock.ts';

/**
 * `npm run bench`: push to rendered diff at three sizes beside the stock pipeline, the cost of one promotion, and webhook intake, all in
 * one run. Prints tables, writes JSON below .bench/, and ends with 1 when a goal is missed.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string' },
    pushes: { type: 'string' },
    json: { type: 'string', default: join(import.meta.dirname, '..', '.bench', 'result.json') },
    /** Small sizes, few pushes, a short intake: whether it runs, not how fast. */
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    only: { type: 'string' },
  },
});
const isQuick = values.quick;
const sizes = (values.sizes ?? (isQuick ? '100' : '100,1000,10000')).split(',').map(Number);
const pushes = Number(values.pushes ?? (isQuick ? 5 : 40));
const parts = new Set(values.only?.split(',') ?? ['push', 'promotion', 'intake']);

const folder = await mkdtemp(join(tmpdir(), 'capstan-bench-'));
try {
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, ${versionOf('git', ['--version'])}`;
  console.log(machine);
  if (kustomizeCommand() === undefined) console.log('neither kustomize nor kubectl is on the path: the stock pipeline is left out');
  const results: SizeResult[] = [];
  if (parts.has('push')) {
    for (const units of sizes) {
      const everything = isQuick ? 1 : units >= 10_000 ? 3 : 5;
      results.push(await measureSize({ units, pushes, everything, folder: join(folder, String(units)) }));
      await rm(join(folder, String(units)), { recursive: true, force: true });
    }
    printSizes(results);
  }
  const promotion = parts.has('promotion')
    ? await promotionInLargeRepository({ files: isQuick ? 1_000 : 10_000, folder: join(folder, 'promotion') })
    : undefined;
  if (promotion !== undefined) printPromotion(promotion);
  const intake = parts.has('intake') ? intakeBench(values.seconds ?? (isQuick ? '2' : '60')) : undefined;
  if (intake !== undefined) console.log(`\nWebhook intake beside a bare node:http server\n${JSON.stringify(intake, undefined, 2)}`);

  const verdicts = verdictsOf(results, promotion, intake);
  for (const verdict of verdicts) console.log(`${verdict.held ? 'held  ' : 'MISSED'} ${verdict.goal}: ${verdict.measured}`);
  if (!isQuick && verdicts.some((verdict) => !verdict.held)) process.exitCode = 1;
  await mkdir(dirname(values.json), { recursive: true });
  await writeFile(values.json, `${JSON.stringify({ machine, results, promotion, intake, verdicts }, undefined, 2)}\n`);
  console.log(`written to ${values.json}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

function versionOf(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim();
}

/** bench/intake.ts in processes of its own. */
function intakeBench(seconds: string): { readonly ratio: { readonly median: number }; readonly lost: number; readonly accepted: number } {
  const script = join(import.meta.dirname, 'intake.ts');
  const rounds = isQuick ? '1' : '3';
  const text = execFileSync(process.execPath, [script, '--json', '--rounds', rounds, '--seconds', seconds], { encoding: 'utf8' });
  return JSON.parse(text);
}
