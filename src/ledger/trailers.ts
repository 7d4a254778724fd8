/** `Key: value` at the end of a commit message. */
export interface Trailer {
  readonly key: string;
  readonly value: string;
}

const TRAILER = /^([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$/;
const GIT_OWN = /^(Signed-off-by: |\(cherry picked from commit )/;

/** Subject, body and trailers; values lose line breaks and control characters, so that a value can never become a trailer of its own. */
export function messageOf(subject: string, body: string, trailers: readonly Trailer[]): string {
  const lines = trailers.map(({ key, value }) => `${key}: ${oneLine(value)}`);
  const paragraphs = [oneLine(subject), body.trim(), lines.join('\n')].filter((part) => part !== '');
  return `${paragraphs.join('\n\n')}\n`;
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, 1000);
}

/**
 * What `git interpret-trailers --parse` reads: the last paragraph behind the subject, if all of its lines are trailers, or if git's own are
 * among them and trailers make up a quarter. A line that begins with white space continues the one before.
 */
export function trailersOf(message: string): readonly Trailer[] {
  const lines = message.replaceAll('\r\n', '\n').trimEnd().split('\n');
  let start = lines.length;
  while (start > 0 && (lines[start - 1] ?? '').trim() !== '') start -= 1;
  if (start === 0) return [];
  const folded: string[] = [];
  for (const line of lines.slice(start)) {
    if (/^[ \t]/.test(line) && folded.length > 0) folded.push(`${folded.pop() ?? ''} ${line.trim()}`);
    else folded.push(line);
  }
  const found = folded.flatMap((line): Trailer[] => {
    const match = TRAILER.exec(line);
    return match === null ? [] : [{ key: match[1] ?? '', value: (match[2] ?? '').trim() }];
  });
  const ownLine = folded.some((line) => GIT_OWN.test(line));
  return found.length === folded.length || (ownLine && found.length * 4 >= folded.length) ? found : [];
}

export function valuesOf(trailers: readonly Trailer[], key: string): readonly string[] {
  return trailers.filter((trailer) => trailer.key.toLowerCase() === key.toLowerCase()).map((trailer) => trailer.value);
}
