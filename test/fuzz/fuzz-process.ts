import fc from 'fast-check';

import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import { attempt } from './attempt.ts';
import { FUZZ_KINDS, inputs, type Fuzzed, type FuzzKind } from './inputs.ts';

/** What one process of `node test/fuzz/fuzz-process.ts KIND RUNS SEED` found, as one line of JSON. */
export interface FuzzReport {
  readonly kind: FuzzKind;
  readonly runs: number;
  readonly seed: number;
  /** Milliseconds of processor time of the slowest input. */
  readonly slowest: number;
  /** Mebibytes of the process at its largest. */
  readonly memory: number;
  readonly failure: string | undefined;
}

const LONGEST_MS = 1000;
/** What an error of the runtime or a library says of itself. */
const INTERNAL =
  /TypeError|ReferenceError|RangeError|SyntaxError|Cannot (read|set|convert|destructure)|is not (a function|iterable|defined)|Maximum call stack|\[object [A-Z]|\bnode:|\n\s+at |Invalid (array length|string length)|heap/;

function main([kind, runs, seed]: readonly string[]): void {
  const wanted = FUZZ_KINDS.find((one) => one === kind);
  if (wanted === undefined) throw new Error(`say which of ${FUZZ_KINDS.join(', ')}`);
  let slowest = 0;
  let memory = 0;
  let count = 0;
  const details = fc.check(
    fc.property(inputs(wanted), (input) => {
      const began = process.cpuUsage();
      const told = attempt(input);
      const { user, system } = process.cpuUsage(began);
      slowest = Math.max(slowest, (user + system) / 1000);
      count += 1;
      if (count % 100 === 0) memory = Math.max(memory, process.memoryUsage.rss() / 1024 / 1024);
      if ((user + system) / 1000 > LONGEST_MS) throw new Error(`took ${(user + system) / 1000} ms`);
      for (const { code, message, remedy } of told) judge(input, { code, message, remedy });
    }),
    // Shrinking repeats an input that may hang; the seed says which one it was.
    { numRuns: Number(runs), seed: Number(seed), endOnFailure: true },
  );
  const failure = details.failed ? `${String(details.errorInstance)}\n${JSON.stringify(details.counterexample)}` : undefined;
  process.stdout.write(
    `${JSON.stringify({ kind: wanted, runs: count, seed: Number(seed), slowest, memory, failure } satisfies FuzzReport)}\n`,
  );
}

function judge({ text }: Fuzzed, told: { readonly code: string; readonly message: string; readonly remedy: string }): void {
  const said = `${told.message} ${told.remedy}`;
  if (told.code === 'render-failed') throw new Error(`a defect reached the user: ${said}`);
  if (told.code !== 'user-schema' && !PROBLEM_CATALOGUE.has(told.code)) throw new Error(`code ${told.code} is not in the catalogue`);
  const internal = INTERNAL.exec(said)?.[0];
  if (internal !== undefined && !text.includes(internal)) throw new Error(`internal words reached the user: ${said}`);
  if (said.length > 8000) throw new Error(`${told.code} says ${said.length} characters`);
  if (/(?![\n\t])[\p{Cc}\u202a-\u202e]/u.test(told.message)) throw new Error(`${told.code} shows raw control characters`);
}

main(process.argv.slice(2));
