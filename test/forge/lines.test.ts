import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { differences, linesOf, mergeLines, patchOf } from '#forge/lines.ts';

const LOCK = 'greeter:\n  version: 1.0.0\n  sha256: aa\nredis:\n  version: 7.0.0\n  sha256: bb\n';

describe('merging lines', () => {
  it('joins promotions of neighbouring capsules in one lock', () => {
    const ours = LOCK.replace('1.0.0', '1.1.0').replace('aa', 'cc');
    const theirs = LOCK.replace('7.0.0', '7.2.0').replace('bb', 'dd');

    expect(mergeLines(LOCK, ours, theirs)).toBe('greeter:\n  version: 1.1.0\n  sha256: cc\nredis:\n  version: 7.2.0\n  sha256: dd\n');
  });

  it('is a conflict when both change a line differently, and when changes touch', () => {
    expect(mergeLines('a\nb\nc\n', 'a\nx\nc\n', 'a\ny\nc\n')).toBeUndefined();
    expect(mergeLines('a\nb\nc\nd\n', 'a\nx\nc\nd\n', 'a\nb\ny\nd\n')).toBeUndefined();
    expect(mergeLines('a\n', 'a\nx\n', 'a\ny\n')).toBeUndefined();
  });

  it('takes the same change of both sides once', () => {
    expect(mergeLines('a\nb\nc\n', 'a\nx\nc\n', 'a\nx\nc\n')).toBe('a\nx\nc\n');
  });

  it('keeps a last line without its end', () => {
    expect(mergeLines('a\nb\nc\nd', 'x\nb\nc\nd', 'a\nb\nc\ny')).toBe('x\nb\nc\ny');
  });

  it('gives one side when the other changed nothing, whatever the texts', () => {
    const text = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', 'd\n'), { maxLength: 30 }).map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, text, (base, side) => {
        expect(mergeLines(base, side, base)).toBe(side);
        expect(mergeLines(base, base, side)).toBe(side);
        expect(mergeLines(base, side, side)).toBe(side);
      }),
    );
  });
});

describe('differences of lines', () => {
  it('turn the one text into the other, whatever the texts', () => {
    const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n'), { maxLength: 40 });
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const result: string[] = [];
        let at = 0;
        for (const hunk of differences(a, b) ?? []) {
          result.push(...a.slice(at, hunk.aFrom), ...b.slice(hunk.bFrom, hunk.bTo));
          at = hunk.aTo;
        }
        expect([...result, ...a.slice(at)]).toEqual(b);
      }),
    );
  });

  it('are shown as a patch with three lines of context', () => {
    const before = linesOf('1\n2\n3\n4\n5\n6\n7\n8\n9\n');

    expect(patchOf(before.join(''), '1\n2\n3\n4\nfive\n6\n7\n8\n9\n')).toEqual({
      additions: 1,
      deletions: 1,
      text: '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8',
    });
    expect(patchOf('', 'x').text).toBe('@@ -0,0 +1 @@\n+x\n\\ No newline at end of file');
  });
});
