/** Text of strangers (logins, sentences, names) in a line or a table of Markdown: no markup, no mention, no line break; at most `limit` characters. */
export function cell(text: string, limit = 500): string {
  // Strangers may write at length: what is cut anyway is never looked at.
  const plain = text
    .slice(0, 4 * limit)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|#~]/g, '\\$&')
    .replaceAll('@', '@\u2060');
  return clipped(plain, limit);
}

/** Cut without leaving half a character, which a forge would store as another one. */
export function clipped(text: string, limit: number): string {
  return text.length <= limit ? text.toWellFormed() : text.slice(0, limit).toWellFormed();
}

/** A block of code that nothing inside can close; comments and control characters in it stand as what they are. */
export function fenced(language: string, lines: readonly string[]): string {
  const shown = lines.map((line) =>
    line
      .replaceAll(/(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
      .replaceAll('<!--', '<!\u2060--')
      .replaceAll('-->', '--\u2060>')
      .toWellFormed(),
  );
  const longest = shown.reduce((most, line) => Math.max(most, ...(line.match(/`+/g) ?? ['']).map((run) => run.length)), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${shown.join('\n')}\n${fence}`;
}
