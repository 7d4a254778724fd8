/** Lines `[aFrom, aTo)` of the one side stand where `[bFrom, bTo)` of the other do. */
export interface Hunk {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

/** More differing lines than this are not compared (GitHub leaves out the patch, a merge is a conflict). */
const LARGEST_DISTANCE = 3000;
const CONTEXT = 3;

/** Lines with their ends; a last line without one stays without. */
export function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** Shortest edit script (Myers 1986); undefined when the two are too far apart. */
export function differences(a: readonly string[], b: readonly string[]): readonly Hunk[] | undefined {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const middle = edits(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return middle?.map((hunk) => ({ aFrom: hunk.aFrom + start, aTo: hunk.aTo + start, bFrom: hunk.bFrom + start, bTo: hunk.bTo + start }));
}

function edits(a: readonly string[], b: readonly string[]): readonly Hunk[] | undefined {
  const limit = Math.min(a.length + b.length, LARGEST_DISTANCE);
  const width = 2 * limit + 3;
  const far = new Int32Array(width);
  const trace: Int32Array[] = [];
  for (let distance = 0; distance <= limit; distance += 1) {
    trace.push(far.slice(limit + 1 - distance - 1, limit + 1 + distance + 2));
    for (let diagonal = -distance; diagonal <= distance; diagonal += 2) {
      const at = limit + 1 + diagonal;
      const down = diagonal === -distance || (diagonal !== distance && value(far, at - 1) < value(far, at + 1));
      let x = down ? value(far, at + 1) : value(far, at - 1) + 1;
      let y = x - diagonal;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
      }
      far[at] = x;
      if (x >= a.length && y >= b.length) return backtrack(trace, a.length, b.length);
    }
  }
  return undefined;
}

function backtrack(trace: readonly Int32Array[], aLength: number, bLength: number): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let [x, y] = [aLength, bLength];
  for (let distance = trace.length - 1; distance > 0; distance -= 1) {
    const far = trace[distance] ?? new Int32Array(0);
    const diagonal = x - y;
    const at = diagonal + distance + 1;
    const down = diagonal === -distance || (diagonal !== distance && value(far, at - 1) < value(far, at + 1));
    const before = down ? diagonal + 1 : diagonal - 1;
    const [startX, startY] = [value(far, before + distance + 1), value(far, before + distance + 1) - before];
    const [editX, editY] = down ? [startX, startY + 1] : [startX + 1, startY];
    push(hunks, { aFrom: startX, aTo: editX, bFrom: startY, bTo: editY });
    [x, y] = [startX, startY];
  }
  return hunks.reverse();
}

/** Hunks arrive from the end; touching ones are one. */
function push(hunks: Hunk[], hunk: Hunk): void {
  const last = hunks.at(-1);
  if (last !== undefined && hunk.aTo === last.aFrom && hunk.bTo === last.bFrom) {
    hunks[hunks.length - 1] = { aFrom: hunk.aFrom, aTo: last.aTo, bFrom: hunk.bFrom, bTo: last.bTo };
  } else hunks.push(hunk);
}

function value(row: Int32Array, at: number): number {
  return row[at] ?? 0;
}

export interface Patch {
  readonly additions: number;
  readonly deletions: number;
  /** Unified, three lines of context, without file headers; undefined when too large. */
  readonly text: string | undefined;
}

export function patchOf(before: string, after: string): Patch {
  const [a, b] = [linesOf(before), linesOf(after)];
  const hunks = differences(a, b);
  if (hunks === undefined) return { additions: b.length, deletions: a.length, text: undefined };
  const additions = hunks.map((hunk) => hunk.bTo - hunk.bFrom).reduce((sum, count) => sum + count, 0);
  const deletions = hunks.map((hunk) => hunk.aTo - hunk.aFrom).reduce((sum, count) => sum + count, 0);
  return {
    additions,
    deletions,
    text: groups(hunks)
      .map((group) => groupText(a, b, group))
      .join('\n'),
  };
}

function groups(hunks: readonly Hunk[]): readonly (readonly Hunk[])[] {
  const result: Hunk[][] = [];
  for (const hunk of hunks) {
    const last = result.at(-1);
    const end = last?.at(-1)?.aTo;
    if (last !== undefined && end !== undefined && hunk.aFrom - end <= 2 * CONTEXT) last.push(hunk);
    else result.push([hunk]);
  }
  return result;
}

function groupText(a: readonly string[], b: readonly string[], group: readonly Hunk[]): string {
  const [first, last] = [group[0], group.at(-1)];
  if (first === undefined || last === undefined) return '';
  const [aFrom, aTo] = [Math.max(0, first.aFrom - CONTEXT), Math.min(a.length, last.aTo + CONTEXT)];
  const bFrom = first.bFrom - (first.aFrom - aFrom);
  const bTo = last.bTo + (aTo - last.aTo);
  const rows: string[] = [`@@ -${range(aFrom, aTo)} +${range(bFrom, bTo)} @@`];
  let at = aFrom;
  for (const hunk of group) {
    rows.push(...a.slice(at, hunk.aFrom).map((line) => shown(' ', line)));
    rows.push(...a.slice(hunk.aFrom, hunk.aTo).map((line) => shown('-', line)));
    rows.push(...b.slice(hunk.bFrom, hunk.bTo).map((line) => shown('+', line)));
    at = hunk.aTo;
  }
  rows.push(...a.slice(at, aTo).map((line) => shown(' ', line)));
  return rows.join('\n');
}

function range(from: number, to: number): string {
  const count = to - from;
  return `${count === 0 ? from : from + 1}${count === 1 ? '' : `,${count}`}`;
}

function shown(sign: string, line: string): string {
  return line.endsWith('\n') ? sign + line.slice(0, -1) : `${sign}${line}\n\\ No newline at end of file`;
}

/** Three-way merge by lines as git does it: changes that overlap or touch are a conflict unless equal. undefined: conflict. */
export function mergeLines(base: string, ours: string, theirs: string): string | undefined {
  const [b, o, t] = [linesOf(base), linesOf(ours), linesOf(theirs)];
  const mine = differences(b, o);
  const other = differences(b, t);
  if (mine === undefined || other === undefined) return undefined;
  const result: string[] = [];
  let [at, i, j] = [0, 0, 0];
  while (i < mine.length || j < other.length) {
    const [left, right] = [mine[i], other[j]];
    const touch = left !== undefined && right !== undefined && left.aFrom <= right.aTo && right.aFrom <= left.aTo;
    if (touch) {
      if (!sameChange(left, right, o, t)) return undefined;
      i += 1;
      j += 1;
      at = take(result, { lines: b, at, hunk: left }, o);
    } else if (left !== undefined && (right === undefined || left.aFrom < right.aFrom)) {
      i += 1;
      at = take(result, { lines: b, at, hunk: left }, o);
    } else if (right !== undefined) {
      j += 1;
      at = take(result, { lines: b, at, hunk: right }, t);
    }
  }
  return [...result, ...b.slice(at)].join('');
}

function take(
  result: string[],
  base: { readonly lines: readonly string[]; readonly at: number; readonly hunk: Hunk },
  side: readonly string[],
): number {
  result.push(...base.lines.slice(base.at, base.hunk.aFrom), ...side.slice(base.hunk.bFrom, base.hunk.bTo));
  return base.hunk.aTo;
}

function sameChange(left: Hunk, right: Hunk, ours: readonly string[], theirs: readonly string[]): boolean {
  return (
    left.aFrom === right.aFrom &&
    left.aTo === right.aTo &&
    ours.slice(left.bFrom, left.bTo).join('') === theirs.slice(right.bFrom, right.bTo).join('')
  );
}
