import type { CommitId } from '#model/digest.ts';
import { toCommitId, toTreeId } from '#model/digest.ts';
import type { Commit, Parsed, Person } from '#model/git-objects.ts';
import { toInstant } from '#model/instant.ts';

/** One header of a raw commit; `start` and `end` delimit its bytes with continuation lines and the closing newline. */
export interface CommitHeader {
  readonly name: string;
  /** Continuation lines joined by newlines, their leading space removed. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

export interface CommitContent {
  readonly tree: string;
  readonly parents: readonly CommitId[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
}

const PERSON = /^([^<>\n]*)<([^<>\n]*)> ([0-9]{1,15}) ([+-][0-9]{4})$/;
const LAST_SECOND = 8_640_000_000_000;

/** Reads a commit as git wrote it; header order is git's, and anything else is refused with the reason. */
export function parseCommit(id: CommitId, raw: Uint8Array): Parsed<Commit> {
  const headers = commitHeaders(raw);
  if (!headers.ok) return headers;
  const list = headers.value;
  const tree = list[0];
  if (tree?.name !== 'tree' || !/^[0-9a-f]{40}$/.test(tree.value)) return { ok: false, reason: 'it does not begin with a tree' };
  const parents: CommitId[] = [];
  let next = 1;
  for (; list[next]?.name === 'parent'; next += 1) {
    const value = list[next]?.value ?? '';
    if (!/^[0-9a-f]{40}$/.test(value)) return { ok: false, reason: 'a parent is not an object id' };
    parents.push(toCommitId(value));
  }
  const author = personOf(list[next], 'author');
  const committer = personOf(list[next + 1], 'committer');
  if (author === undefined || committer === undefined) return { ok: false, reason: 'its author or committer is malformed' };
  const again = list.slice(next + 2).find((header) => ['tree', 'parent', 'author', 'committer'].includes(header.name));
  if (again !== undefined) return { ok: false, reason: `it has a second ${again.name} header` };
  const end = list.at(-1)?.end ?? 0;
  const message = Buffer.from(raw.buffer, raw.byteOffset + end + 1, Math.max(0, raw.byteLength - end - 1)).toString('utf8');
  return { ok: true, value: { id, tree: toTreeId(tree.value), parents, author, committer, message, raw } };
}

/** The headers of a raw commit in order, read bytewise. */
export function commitHeaders(raw: Uint8Array): Parsed<readonly CommitHeader[]> {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const headers: CommitHeader[] = [];
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0x0a) {
    const start = at;
    const lines: string[] = [];
    do {
      const newline = bytes.indexOf(0x0a, at);
      if (newline < 0) return { ok: false, reason: 'a header has no end' };
      lines.push(bytes.toString('utf8', lines.length === 0 ? at : at + 1, newline));
      at = newline + 1;
    } while (bytes[at] === 0x20);
    const first = lines[0] ?? '';
    const space = first.indexOf(' ');
    if (space < 1 || first.includes('\0')) return { ok: false, reason: 'a header has no name' };
    headers.push({ name: first.slice(0, space), value: [first.slice(space + 1), ...lines.slice(1)].join('\n'), start, end: at });
  }
  if (at >= bytes.length) return { ok: false, reason: 'nothing separates its headers from its message' };
  return { ok: true, value: headers };
}

/** The exact bytes of a commit; with `signature` the armoured block becomes the last header, `gpgsig`, as git itself places it. */
export function encodeCommit(content: CommitContent, signature: string | undefined): Uint8Array {
  const lines = [`tree ${content.tree}`, ...content.parents.map((parent) => `parent ${parent}`)];
  lines.push(`author ${personText(content.author)}`, `committer ${personText(content.committer)}`);
  if (signature !== undefined) lines.push(`gpgsig ${signature.trimEnd().split('\n').join('\n ')}`);
  return Buffer.from(`${lines.join('\n')}\n\n${content.message}`, 'utf8');
}

function personText(person: Person): string {
  const line = `${person.name} <${person.email}> ${Math.floor(person.at / 1000)} ${person.zone}`;
  if (!PERSON.test(line) || line.includes('\0')) throw new Error(`not a name git can write: ${JSON.stringify(person.name.slice(0, 80))}`);
  return line;
}

function personOf(header: CommitHeader | undefined, name: string): Person | undefined {
  if (header?.name !== name) return undefined;
  const match = PERSON.exec(header.value);
  const seconds = Number(match?.[3]);
  if (match === null || seconds > LAST_SECOND) return undefined;
  return { name: (match[1] ?? '').trimEnd(), email: match[2] ?? '', at: toInstant(seconds * 1000), zone: match[4] ?? '+0000' };
}
