import { Lexer } from 'yaml';

/** A comment as it stands: `#` and what follows to the end of the line, without spaces at the end. */
export interface Comment {
  readonly line: number;
  /** From 0. */
  readonly column: number;
  readonly text: string;
  /** Nothing but spaces stands before it. */
  readonly isAlone: boolean;
}

/** Marks of the lexer that stand for no character of the text. */
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);
const SCALAR = '\u001f';

/** Every comment of a YAML text, in order. What only looks like one inside of a text is none. */
export function commentsOf(text: string): readonly Comment[] {
  const found: Comment[] = [];
  let [at, line, start] = [0, 0, 0];
  let before = '';
  for (const lexeme of new Lexer().lex(text)) {
    if (!MARKS.has(lexeme)) {
      if (lexeme.startsWith('#') && before !== SCALAR) {
        found.push({ line, column: at - start, text: lexeme.trimEnd(), isAlone: text.slice(start, at).trim() === '' });
      }
      for (let end = lexeme.indexOf('\n'); end >= 0; end = lexeme.indexOf('\n', end + 1)) {
        line += 1;
        start = at + end + 1;
      }
      at += lexeme.length;
    }
    before = lexeme;
  }
  return found;
}
