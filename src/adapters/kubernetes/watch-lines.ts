/** Cuts a stream of bytes at its line ends. A character may be split between two pieces, so bytes are joined before they are decoded. */
export async function* linesOf(pieces: AsyncIterable<Buffer>, limit: number): AsyncGenerator<string, void> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (;;) {
      const at = piece.indexOf(0x0a, from);
      if (at < 0) break;
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
    if (size > limit) throw new RangeError(`a line is longer than ${limit} bytes`);
  }
  if (size > 0) throw new Error('the last line has no end');
}
