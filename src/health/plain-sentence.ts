/** The longest sentence that is shown. */
export const LONGEST_SENTENCE = 300;
/** Characters that move a cursor, hide, or turn the reading direction: controls, format characters, separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]+/gu;

/** Text of a stranger as one line that is safe in a terminal, a commit message and a pull request. */
export function plainSentence(text: string, longest = LONGEST_SENTENCE): string {
  // Cut first: what is looked at stays bounded, however long the stranger's text is.
  const head = text
    .slice(0, 4 * longest)
    .replaceAll(UNSAFE, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  const characters = Array.from(head);
  return characters.length <= longest ? head : `${characters.slice(0, longest - 1).join('')}…`;
}
