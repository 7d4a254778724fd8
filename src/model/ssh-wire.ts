/** The binary encoding of RFC 4251: 32-bit lengths, strings, multiple precision integers. */
export interface SshReader {
  /** Undefined where the bytes end too early. */
  byte(): number | undefined;
  uint32(): number | undefined;
  string(): Buffer | undefined;
  take(length: number): Buffer | undefined;
  isAtEnd(): boolean;
}

export function sshReader(bytes: Uint8Array): SshReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  function take(length: number): Buffer | undefined {
    if (at + length > buffer.length) return undefined;
    at += length;
    return buffer.subarray(at - length, at);
  }

  function uint32(): number | undefined {
    return take(4)?.readUInt32BE();
  }

  return {
    take,
    uint32,
    byte: () => take(1)?.[0],
    string() {
      const length = uint32();
      return length === undefined ? undefined : take(length);
    },
    isAtEnd: () => at === buffer.length,
  };
}

export function sshUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function sshString(content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return Buffer.concat([sshUint32(bytes.byteLength), bytes]);
}

/** The magnitude of a positive mpint without leading zeros; undefined when it is negative, zero or not minimal. */
export function magnitudeOf(mpint: Buffer): Buffer | undefined {
  const first = mpint[0];
  if (first === undefined || first >= 0x80) return undefined;
  if (first !== 0) return mpint;
  const second = mpint[1];
  return second === undefined || second < 0x80 ? undefined : mpint.subarray(1);
}
