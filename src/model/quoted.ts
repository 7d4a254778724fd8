const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;
const UNFIT = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u;

/** Text of a repository made fit for a terminal: control, direction and invisible characters escaped, cut after `limit` characters. */
export function visibleText(text: string, limit = 200): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(HARMFUL, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Sentences that may quote a repository: what could reach a terminal as more than text is escaped, line ends stay. */
export function plainWords(text: string): string {
  return UNFIT.test(text)
    ? text
        .split('\n')
        .map((line) => visibleText(line, Infinity))
        .join('\n')
    : text;
}

/** The same between double quotes. */
export function quoted(text: string, limit = 200): string {
  return `"${visibleText(text, limit).replaceAll('"', '\\"')}"`;
}

/** `a, b, c` with an end: at most `limit` names are shown. */
export function listed(names: readonly string[], limit = 12): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, limit).map((name) => visibleText(name, 80));
  return names.length > limit ? `${shown.join(', ')} and ${names.length - limit} more` : shown.join(', ');
}
