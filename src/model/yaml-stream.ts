/** One document of a stream as it stands there, its own `---` included; the parts of a stream joined are the stream. */
export interface StreamPart {
  readonly text: string;
  /** Line at which the part begins, from 1. */
  readonly line: number;
}

const MARKER = /^---(?=[ \t\r\n]|$)/gm;

/**
 * Cuts a YAML stream before each `---` at the start of a line: no text of a document can hold one (YAML 1.2, c-forbidden). What stands
 * before the first marker is a part of its own unless it is blank or comments, which stay with what follows.
 */
export function splitYamlStream(text: string): readonly StreamPart[] {
  const cuts = [...text.matchAll(MARKER)].map((match) => match.index).filter((at) => at > 0);
  const parts: StreamPart[] = [];
  let start = 0;
  let line = 1;
  for (const end of [...cuts, text.length]) {
    const part = text.slice(start, end);
    if (end < text.length && parts.length === 0 && isBlank(part)) continue;
    parts.push({ text: part, line });
    line += part.split('\n').length - 1;
    start = end;
  }
  return parts;
}

function isBlank(text: string): boolean {
  return /^\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*$/.test(text);
}
