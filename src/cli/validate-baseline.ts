import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { compareText } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { LARGEST_DOCUMENT, readBounded } from './bounded-file.ts';
import type { Terminal } from './powers.ts';

/** A known problem: what it is, and how often it stands there. */
interface Known {
  readonly fingerprint: string;
  readonly code: string;
  readonly file: string | null;
  /** For people who read the file. */
  readonly message: string;
  readonly count: number;
}

export interface Compared {
  /** Problems that the baseline does not know. */
  readonly fresh: readonly Problem[];
  readonly known: number;
  /** What the baseline knows and is not there any more, as warnings at its place. */
  readonly stale: readonly Problem[];
}

/**
 * What stays the same when lines move: code, rule, file, place within the document without numbers of list items, and the message without
 * lines and columns.
 */
export function fingerprintOf({ code, rule, message, place }: Problem): string {
  const pointer = (place.pointer ?? '').replaceAll(/\/\d+(?=\/|$)/g, '/*');
  const words = message.replaceAll(/(?<=[\w.-]):\d+(:\d+)?/g, '').replaceAll(/\blines? \d+( and \d+)?/g, 'line');
  return createHash('sha256')
    .update(JSON.stringify([code, rule ?? '', place.file ?? '', pointer, words]))
    .digest('hex')
    .slice(0, 32);
}

/** A secret that was found is never taken as known: what is in git must be changed, not accepted. */
export function mayBeKnown(problem: Problem): boolean {
  return problem.rule !== 'V-80';
}

export async function writeBaseline(terminal: Terminal, file: string, problems: readonly Problem[]): Promise<number> {
  const groups = Map.groupBy(problems.filter(mayBeKnown), fingerprintOf);
  const entries = [...groups].flatMap(([fingerprint, found]): readonly Known[] => {
    const [first] = found;
    if (first === undefined) return [];
    return [{ fingerprint, code: first.code, file: first.place.file ?? null, message: first.message, count: found.length }];
  });
  entries.sort(
    (a, b) => compareText(a.file ?? '', b.file ?? '') || compareText(a.code, b.code) || compareText(a.fingerprint, b.fingerprint),
  );
  const document = { apiVersion: 'capstan.dev/v1alpha1', kind: 'Baseline', formatVersion: 1, problems: entries };
  const path = resolve(terminal.cwd, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(document, undefined, 2)}\n`);
  return entries.reduce((sum, entry) => sum + entry.count, 0);
}

/** Parts what is new from what the baseline knows. Of several alike the last ones are new. */
export async function compareWithBaseline(terminal: Terminal, file: string, problems: readonly Problem[]): Promise<Compared> {
  const entries = await readBaseline(resolve(terminal.cwd, file), file);
  const left = new Map(entries.map((entry) => [entry.fingerprint, entry.count]));
  const fresh = problems.filter((problem) => {
    if (!mayBeKnown(problem)) return true;
    const fingerprint = fingerprintOf(problem);
    const count = left.get(fingerprint) ?? 0;
    if (count > 0) left.set(fingerprint, count - 1);
    return count === 0;
  });
  const stale = entries.flatMap((entry): readonly Problem[] => {
    const gone = left.get(entry.fingerprint) ?? 0;
    return gone === 0 ? [] : [staleProblem(file, entry, gone)];
  });
  return { fresh, known: problems.length - fresh.length, stale };
}

function staleProblem(file: string, entry: Known, gone: number): Problem {
  const times = gone === 1 ? '' : ` (${gone} times)`;
  return {
    code: 'baseline-stale',
    rule: undefined,
    severity: 'warning',
    phase: 'validate',
    message: `the baseline knows ${entry.code} in ${entry.file ?? 'the repository'}${times}, which is not there any more: ${entry.message}`,
    remedy: `Write it again: capstan validate --baseline ${file} --write-baseline`,
    place: { file, line: undefined, column: undefined, pointer: undefined },
    related: [],
  };
}

async function readBaseline(path: string, shown: string): Promise<readonly Known[]> {
  const bytes = await readBounded(path, LARGEST_DOCUMENT).catch((error: unknown) => {
    if (isPortError(error) && error.kind !== 'missing') throw error;
    throw new PortError('missing', `${shown} cannot be read; 'capstan validate --baseline ${shown} --write-baseline' writes it`, error);
  });
  const invalid = new PortError('invalid', `${shown} is not a baseline that this version of capstan wrote`);
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalid;
  }
  if (!isRecord(document) || document.kind !== 'Baseline' || document.formatVersion !== 1 || !Array.isArray(document.problems))
    throw invalid;
  return document.problems.map((entry: unknown) => {
    if (!isRecord(entry)) throw invalid;
    const { fingerprint, code, file, message, count } = entry;
    if (typeof fingerprint !== 'string' || typeof code !== 'string' || typeof message !== 'string') throw invalid;
    if ((typeof file !== 'string' && file !== null) || typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1)
      throw invalid;
    return { fingerprint, code, file, message, count };
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
