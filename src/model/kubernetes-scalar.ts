/**
 * How Kubernetes' YAML reader (sigs.k8s.io/yaml over go-yaml 2) takes plain scalars: neither YAML 1.1 nor 1.2.
 * `test/live/kubectl-reading.test.ts` compares this file with stock kubectl.
 */
export type ScalarReading =
  | { readonly kind: 'value'; readonly value: null | boolean | number | string }
  | { readonly kind: 'merge' }
  /** Not JSON (`.inf`, `.nan`), or an integer that this program cannot carry exactly. */
  | { readonly kind: 'unreadable'; readonly because: string };

const WORDS: ReadonlyMap<string, null | boolean> = new Map<string, null | boolean>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, null] => [word, null]),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word): [string, boolean] => [word, true]),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word): [string, boolean] => [word, false]),
]);
const NOT_FINITE = /^([+-]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const DOTTED = /^\.[0-9]+([eE][-+]?[0-9]+)?$/;
const TIMESTAMP = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$/;
const INTEGER = /^([-+]?)(?:(0[xX])([0-9a-fA-F]+)|(0[bB])([01]+)|(0[oO])([0-7]+)|(0)([0-7]+)|((?:0|[1-9][0-9]*)))$/;
const LARGEST = 18_446_744_073_709_551_615n;
const SMALLEST = -9_223_372_036_854_775_808n;

/** The value of an untagged plain scalar. */
export function readPlainScalar(text: string): ScalarReading {
  const word = WORDS.get(text);
  if (word !== undefined) return { kind: 'value', value: word };
  if (text === '<<') return { kind: 'merge' };
  const first = text.charCodeAt(0);
  if (first === 0x2e) return readDotted(text);
  if ((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d) return readNumberLike(text);
  return { kind: 'value', value: text };
}

function readDotted(text: string): ScalarReading {
  if (NOT_FINITE.test(text)) return { kind: 'unreadable', because: `${text} is not a JSON number` };
  return DOTTED.test(text) ? readFloat(text, text) : { kind: 'value', value: text };
}

function readNumberLike(text: string): ScalarReading {
  if (NOT_FINITE.test(text)) return { kind: 'unreadable', because: `${text} is not a JSON number` };
  if (TIMESTAMP.test(text)) return { kind: 'value', value: text };
  const plain = text.replaceAll('_', '');
  const integer = toInteger(plain);
  if (integer !== undefined && integer >= SMALLEST && integer <= LARGEST) {
    const value = Number(integer);
    if (!Number.isSafeInteger(value)) return { kind: 'unreadable', because: `${text} is an integer that JSON readers round` };
    return { kind: 'value', value: value === 0 ? 0 : value };
  }
  return FLOAT.test(plain) ? readFloat(plain, text) : { kind: 'value', value: text };
}

function readFloat(plain: string, text: string): ScalarReading {
  const value = Number(plain);
  // Go's ParseFloat reports a range error beyond the largest double; go-yaml then keeps the text.
  if (!Number.isFinite(value)) return { kind: 'value', value: text };
  if (/^[-+]?[0-9]+$/.test(plain) && !Number.isSafeInteger(value)) {
    return { kind: 'unreadable', because: `${text} is an integer that JSON readers round` };
  }
  return { kind: 'value', value: value === 0 ? 0 : value };
}

function toInteger(plain: string): bigint | undefined {
  const match = INTEGER.exec(plain);
  if (match === null || plain.length > 80) return undefined;
  const [, sign, , hex, , binary, , octal, , oldOctal, decimal] = match;
  const magnitude =
    hex !== undefined
      ? BigInt(`0x${hex}`)
      : binary !== undefined
        ? BigInt(`0b${binary}`)
        : octal !== undefined
          ? BigInt(`0o${octal}`)
          : oldOctal !== undefined
            ? BigInt(`0o${oldOctal}`)
            : BigInt(decimal ?? '0');
  return sign === '-' ? -magnitude : magnitude;
}
