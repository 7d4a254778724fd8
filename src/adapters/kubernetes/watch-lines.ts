import { PortError } from '#ports/port-error.ts';

export interface LineLimits {
  /** Bytes of one line. */
  readonly line: number;
  /** How the server is spoken of. */
  readonly named: string;
}

/** Cuts the bytes of a watch at line ends. A character may be split between two pieces, so bytes are joined before they are decoded. */
export async function* linesOf(pieces: AsyncIterable<Buffer>, { line: limit, named }: LineLimits): AsyncGenerator<string, void> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (;;) {
      const at = piece.indexOf(0x0a, from);
      if (at < 0) break;
      if (size + at - from > limit) throw tooLong(named, limit);
      held.push(piece.subarray(from, at));
      const line = held.length === 1 ? piece.toString('utf8', from, at) : Buffer.concat(held).toString('utf8');
      held = [];
      size = 0;
      from = at + 1;
      if (line !== '') yield line;
    }
    if (from === piece.length) continue;
    held.push(piece.subarray(from));
    size += piece.length - from;
    if (size > limit) throw tooLong(named, limit);
  }
  if (size > 0) throw new PortError('transient', `${named} ended a watch in the middle of a line`);
}

function tooLong(named: string, limit: number): PortError {
  return new PortError('invalid', `${named} sent an event of more than ${limit} bytes in a watch`);
}
