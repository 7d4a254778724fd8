import { RE2JS } from 're2js';

import { createMemo } from '#model/memo.ts';

const LONGEST = 4_000;

interface Pattern {
  readonly found: ((text: string) => boolean) | undefined;
}

const known = createMemo<Pattern>(2_000);

/** Is the pattern found in the text, in time that grows with the text alone; undefined when it is no pattern of RE2. */
export function findsPattern(pattern: string, text: string): boolean | undefined {
  return (known.get(pattern) ?? known.set(pattern, { found: compiled(pattern) })).found?.(text);
}

function compiled(pattern: string): Pattern['found'] {
  if (pattern.length > LONGEST) return undefined;
  try {
    const expression = RE2JS.compile(pattern);
    return (text) => expression.matcher(text).find();
  } catch {
    return undefined;
  }
}
