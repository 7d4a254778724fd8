/** The fields of one protobuf message by number; the last of several wins, as protobuf has it. */
export interface ProtobufFields {
  /** Decimal text; "0" where absent. */
  number(field: number): string;
  bytes(field: number): Buffer;
  all(field: number): readonly Buffer[];
  message(field: number): ProtobufFields | undefined;
}

const FIELDS = 512;

/** Reads varints and length-delimited fields, which is all that log entries have; undefined for anything else. */
export function protobufFields(bytes: Buffer): ProtobufFields | undefined {
  const numbers = new Map<number, bigint>();
  const texts = new Map<number, Buffer[]>();
  let at = 0;

  function varint(): bigint | undefined {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) return undefined;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return undefined;
  }

  for (let count = 0; at < bytes.length; count += 1) {
    const key = varint();
    if (key === undefined || key > 0xffffn || count >= FIELDS) return undefined;
    const field = Number(key >> 3n);
    const value = varint();
    if (value === undefined) return undefined;
    if ((key & 7n) === 0n) numbers.set(field, value);
    else if ((key & 7n) === 2n && value <= BigInt(bytes.length - at)) {
      const end = at + Number(value);
      texts.set(field, [...(texts.get(field) ?? []), bytes.subarray(at, end)]);
      at = end;
    } else return undefined;
  }
  return {
    number: (field) => String(numbers.get(field) ?? 0n),
    bytes: (field) => texts.get(field)?.at(-1) ?? Buffer.alloc(0),
    all: (field) => texts.get(field) ?? [],
    message(field) {
      const found = texts.get(field)?.at(-1);
      return found === undefined ? undefined : protobufFields(found);
    },
  };
}
