/** One class of characters with its lengths: `^[a-z0-9-]{1,40}$`. */
const ONE_CLASS = /^\^\[([^\]\\^[]{1,200})\](\+|\*|\{(\d{1,9})(?:(,)(\d{1,9})?)?\})?\$$/;

/** Whether whatever one pattern takes the other takes, too; false where that is not plain to see. */
export function isPatternWider(before: string, after: string): boolean {
  const [was, now] = [classOf(before), classOf(after)];
  if (was === undefined || now === undefined) return false;
  return was.least >= now.least && was.most <= now.most && [...was.letters].every((letter) => now.letters.has(letter));
}

interface LetterClass {
  readonly letters: ReadonlySet<number>;
  readonly least: number;
  readonly most: number;
}

function classOf(pattern: string): LetterClass | undefined {
  const match = ONE_CLASS.exec(pattern);
  if (match === null) return undefined;
  const [, inside = '', times, low, comma, high] = match;
  const letters = new Set<number>();
  for (let at = 0; at < inside.length; at += 1) {
    const isRange = inside.charAt(at + 1) === '-' && at + 2 < inside.length;
    const [from, to] = [inside.charCodeAt(at), inside.charCodeAt(isRange ? at + 2 : at)];
    for (let code = from; code <= to; code += 1) letters.add(code);
    if (isRange) at += 2;
  }
  if (times === undefined) return { letters, least: 1, most: 1 };
  if (low === undefined) return { letters, least: times === '+' ? 1 : 0, most: Infinity };
  return { letters, least: Number(low), most: comma === undefined ? Number(low) : high === undefined ? Infinity : Number(high) };
}
