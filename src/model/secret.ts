/** A text that must never be printed. String conversion, JSON and `util.inspect` all give `[secret]`; only `reveal` gives the text. */
export interface Secret {
  readonly reveal: () => string;
  readonly toString: () => '[secret]';
  readonly toJSON: () => '[secret]';
}

/** The key under which Node's `util.inspect` (and console.log) looks for an object's own wording. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

export function toSecret(text: string): Secret {
  const secret = { reveal: () => text, toString: mask, toJSON: mask, [INSPECT]: mask, [Symbol.toPrimitive]: mask };
  return Object.freeze(secret);
}

function mask(): '[secret]' {
  return '[secret]';
}
