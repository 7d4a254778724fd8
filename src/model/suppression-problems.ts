import type { CatalogueEntry } from '#model/problem-catalogue.ts';

const REMEDY = 'Write `# capstan-ignore V-14: why, until 2027-01-31` on the line, or alone on the line above it.';

/** Codes of what is silenced or known and should not be any more, sorted. */
export const SUPPRESSION_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'baseline-stale': {
    rule: undefined,
    title: 'The baseline knows a problem that is not there any more',
    why: 'What a baseline knows is not told: a problem that was mended could come back unseen.',
    example: 'capstan validate --baseline known.json, after one of its problems was mended',
    remedy: 'Run `capstan validate --baseline FILE --write-baseline` to write it again.',
  },
  'suppression-expired': {
    rule: undefined,
    title: 'A comment that silences a warning is past its day',
    why: 'What was agreed for a while is not agreed for ever: the warning is shown again.',
    example: '# capstan-ignore V-14: the changelog moves, until 2020-01-31',
    remedy: 'Mend what the warning says and remove the comment, or agree on a later day.',
  },
  'suppression-malformed': {
    rule: undefined,
    title: 'A comment means to silence a warning and does not say what, why or until when',
    why: 'A silenced warning without a reason and an end is forgotten.',
    example: '# capstan-ignore V-14',
    remedy: REMEDY,
  },
  'suppression-refused': {
    rule: undefined,
    title: 'A comment means to silence an error',
    why: 'The engine stops at an error whatever a comment says; a check that stays green would be a lie. Only warnings can be silenced.',
    example: '# capstan-ignore V-07: later, until 2027-01-31',
    remedy: 'Mend the error, and remove the comment.',
  },
  'suppression-unused': {
    rule: undefined,
    title: 'A comment silences a warning that is not there',
    why: 'It would silence the next one at that place, which nobody has looked at.',
    example: '# capstan-ignore V-14: the changelog moves, until 2027-01-31',
    remedy: 'Remove the comment.',
  },
};
