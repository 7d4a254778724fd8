import { readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { verifyClone } from '#loops/verify.ts';
import { isObjectId, toCommitId } from '#model/digest.ts';
import type { CommitId } from '#model/digest.ts';
import { isJsonObject } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { countOf, outputFormat, printDocument, printProblems, printable, problemDocument } from './output.ts';
import { placeOf } from './repository.ts';

export async function verify({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const trustRoot = options.trustRoot as string | undefined;
  if (trustRoot !== undefined && !isObjectId(trustRoot))
    throw new UsageError(`--trust-root "${trustRoot}" is not a commit id of 40 hex digits`);
  const world = await powers.openWorld({ ...placeOf(options), trustRoot }, terminal);
  try {
    const file = options.seen as string | undefined;
    const seen = file === undefined ? undefined : await readHeads(resolve(terminal.cwd, file));
    const request = { full: options.full === true, report: (line: string) => terminal.say(`${line}\n`), ...(seen && { seen }) };
    const result = await verifyClone(world, request, terminal.signal);
    if (file !== undefined && result.problems.length === 0) await writeHeads(resolve(terminal.cwd, file), seen, result.heads);
    const { commits, records, rendered } = result;
    if (format === 'json')
      printDocument(terminal, 'Verification', {
        commits,
        records,
        rendered,
        full: options.full === true,
        notices: result.notices,
        problems: result.problems.map(problemDocument),
      });
    else {
      printProblems(terminal, result.problems);
      for (const notice of result.notices) terminal.say(`note: ${printable(notice)}\n`);
      terminal.out(
        result.problems.length > 0
          ? `not verified: ${countOf(result.problems.length, 'problem')}\n`
          : `verified: ${countOf(commits, 'commit')}, ${countOf(records, 'record')}, ${countOf(rendered, 'rendering')}${options.full === true ? ' rendered again and equal' : ''}\n`,
      );
    }
    return result.problems.length > 0 ? EXIT.refused : EXIT.ok;
  } finally {
    await world.close();
  }
}

/** What `--seen` kept: branch -> commit. A file that is not there is the first look; one that cannot be read is no word at all. */
async function readHeads(path: string): Promise<ReadonlyMap<string, CommitId>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return new Map();
  const heads = headsIn(text);
  if (heads === undefined)
    throw new PortError('invalid', `${path} is not what verify --seen writes; put it back, or remove it to begin anew`);
  return heads;
}

function headsIn(text: string): ReadonlyMap<string, CommitId> | undefined {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  const heads = isJsonObject(parsed) ? parsed['heads'] : undefined;
  if (!isJsonObject(heads)) return undefined;
  const entries = Object.entries(heads).flatMap(([branch, id]) =>
    typeof id === 'string' && isObjectId(id) ? [[branch, toCommitId(id)] as const] : [],
  );
  return entries.length === Object.keys(heads).length ? new Map(entries) : undefined;
}

/** Written whole beside its place: a crash leaves the old or the new one. */
async function writeHeads(
  path: string,
  seen: ReadonlyMap<string, CommitId> | undefined,
  now: ReadonlyMap<string, CommitId>,
): Promise<void> {
  const heads = Object.fromEntries([...(seen ?? []), ...now].sort(([a], [b]) => (a < b ? -1 : 1)));
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify({ heads }, null, 2)}\n`, { flush: true });
  await rename(temporary, path);
}
