import { describe, expect, it } from 'vitest';

import { parseReceiveRequest, refusalReport } from '#forge/receive-commands.ts';

const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);

function line(content: string): string {
  return (content.length + 4).toString(16).padStart(4, '0') + content;
}

const PUSH = `${line(`${OLD} ${NEW} refs/heads/main\0report-status side-band-64k agent=git/2.39`)}${line(`${NEW} ${OLD} refs/tags/v1`)}0000PACK`;

describe('the command list of a push', () => {
  it('is read up to the flush, capabilities included', () => {
    expect(parseReceiveRequest(Buffer.from(PUSH))).toEqual({
      kind: 'complete',
      request: {
        commands: [
          { before: OLD, after: NEW, ref: 'refs/heads/main' },
          { before: NEW, after: OLD, ref: 'refs/tags/v1' },
        ],
        capabilities: new Set(['report-status', 'side-band-64k', 'agent=git/2.39']),
      },
    });
  });

  it('waits for more wherever it is cut', () => {
    const end = PUSH.indexOf('0000PACK') + 4;
    const cut = Array.from({ length: end }, (_, length) => parseReceiveRequest(Buffer.from(PUSH.slice(0, length))).kind);

    expect(new Set(cut)).toEqual(new Set(['incomplete']));
  });

  it.each(['zzzz', '0003', line('main'), line(`${OLD} ${NEW}`), line('a'.repeat(40))])('refuses %j', (text) => {
    expect(parseReceiveRequest(Buffer.from(text)).kind).toBe('invalid');
  });

  it('is refused in a report that names every reference', () => {
    const parse = parseReceiveRequest(Buffer.from(PUSH));
    if (parse.kind !== 'complete') throw new Error('not read');

    const report = refusalReport(
      parse.request,
      [{ ref: 'refs/heads/main', reason: 'protected branch hook declined' }],
      ['error: no'],
    ).toString();

    expect(report).toContain('\u0002error: no\n');
    expect(report).toContain('unpack ok\n');
    expect(report).toContain('ng refs/heads/main protected branch hook declined\n');
    expect(report).toContain('ng refs/tags/v1 another reference was refused\n');
    expect(report.endsWith('00000000')).toBe(true);
  });
});
