const LONGEST = 300;
/** Characters that move a cursor, hide, or turn the reading direction: controls, format characters, separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]+/gu;

/** Text of a stranger as one line that is safe in a terminal, a commit message and a pull request. */
export function plainSentence(text: string): string {
  // Cut first: what is looked at stays bounded, however long the stranger's text is.
  const head = text
    .slice(0, 4 * LONGEST)
    .replaceAll(UNSAFE, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  const characters = Array.from(head);
  return characters.length <= LONGEST ? head : `${characters.slice(0, LONGEST - 1).join('')}…`;
}
