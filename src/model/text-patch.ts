interface Hunk {
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
}

const CONTEXT = 3;
const EFFORT = 4000;

/** A unified diff of one file, as `git apply` reads it; `before` undefined is a new file. Empty when nothing differs. */
export function textPatch(path: string, before: string | undefined, after: string): string {
  if (before === after) return '';
  const old = linesOf(before ?? '');
  const now = linesOf(after);
  const hunks = joined(changedRanges(old, now));
  const head = `--- ${before === undefined ? '/dev/null' : `a/${path}`}\n+++ b/${path}\n`;
  return head + hunks.map((group) => hunkText(group, old, now)).join('');
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** Maximal ranges that differ, in order (Myers' greedy search; beyond its effort the rest counts as one range). */
function changedRanges(old: readonly string[], now: readonly string[]): readonly Hunk[] {
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let tail = 0;
  while (tail < old.length - start && tail < now.length - start && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const n = old.length - start - tail;
  const m = now.length - start - tail;
  const trace: Map<number, number>[] = [];
  let furthest = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= Math.min(n + m, EFFORT); d += 1) {
    const next = new Map(furthest);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (next.get(k - 1) ?? -1) < (next.get(k + 1) ?? -1));
      let x = down ? (next.get(k + 1) ?? 0) : (next.get(k - 1) ?? 0) + 1;
      while (x < n && x - k < m && old[start + x] === now[start + x - k]) x += 1;
      next.set(k, x);
      if (x >= n && x - k >= m) return walkBack([...trace, furthest], { n, m, start });
    }
    trace.push(furthest);
    furthest = next;
  }
  return [{ before: [start, start + n], after: [start, start + m] }];
}

function walkBack(
  trace: readonly ReadonlyMap<number, number>[],
  size: { readonly n: number; readonly m: number; readonly start: number },
): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let { n: x, m: y } = size;
  for (let d = trace.length - 1; d > 0; d -= 1) {
    const reach = trace[d];
    const k = x - y;
    const down = k === -d || (k !== d && (reach?.get(k - 1) ?? -1) < (reach?.get(k + 1) ?? -1));
    const from = reach?.get(down ? k + 1 : k - 1) ?? 0;
    const fromY = from - (down ? k + 1 : k - 1);
    const atX = down ? from : from + 1;
    const atY = down ? fromY + 1 : fromY;
    hunks.unshift({ before: [size.start + from, size.start + atX], after: [size.start + fromY, size.start + atY] });
    x = from;
    y = fromY;
  }
  return hunks;
}

/** Neighbouring ranges become one hunk where their context would touch. */
function joined(ranges: readonly Hunk[]): readonly (readonly Hunk[])[] {
  const groups: Hunk[][] = [];
  for (const range of ranges) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (group !== undefined && last !== undefined && range.before[0] - last.before[1] <= 2 * CONTEXT) group.push(range);
    else groups.push([range]);
  }
  return groups;
}

function hunkText(group: readonly Hunk[], old: readonly string[], now: readonly string[]): string {
  const [first] = group;
  const last = group.at(-1);
  if (first === undefined || last === undefined) return '';
  const from = Math.max(0, first.before[0] - CONTEXT);
  const to = Math.min(old.length, last.before[1] + CONTEXT);
  const fromNow = first.after[0] - (first.before[0] - from);
  const toNow = last.after[1] + (to - last.before[1]);
  const lines: string[] = [];
  let at = from;
  for (const { before, after } of group) {
    for (; at < before[0]; at += 1) lines.push(marked(' ', old[at]));
    for (; at < before[1]; at += 1) lines.push(marked('-', old[at]));
    for (let row = after[0]; row < after[1]; row += 1) lines.push(marked('+', now[row]));
  }
  for (; at < to; at += 1) lines.push(marked(' ', old[at]));
  return `@@ -${range(from, to)} +${range(fromNow, toNow)} @@\n${lines.join('')}`;
}

function range(from: number, to: number): string {
  return to === from ? `${from},0` : `${from + 1},${to - from}`;
}

function marked(mark: string, line: string | undefined): string {
  const text = `${mark}${line ?? ''}`;
  return text.endsWith('\n') ? text : `${text}\n\\ No newline at end of file\n`;
}
