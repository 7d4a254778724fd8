/** Kubernetes quantities as exact integers of 10^-9: `250m`, `96Mi`, `1.5`, `2e3`, `0.25`. */
const SUFFIX: ReadonlyMap<string, bigint> = new Map([
  ['n', 1n],
  ['u', 1_000n],
  ['m', 1_000_000n],
  ['', 1_000_000_000n],
  ...['k', 'M', 'G', 'T', 'P', 'E'].map((unit, at): [string, bigint] => [unit, 1_000_000_000n * 1000n ** BigInt(at + 1)]),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((unit, at): [string, bigint] => [unit, 1_000_000_000n * 1024n ** BigInt(at + 1)]),
]);
const BINARY = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;
const FORM = /^([+-]?)([0-9]{1,30})?(?:\.([0-9]{0,9}))?(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?[0-9]{1,2}))?$/;
const ONE = 1_000_000_000n;

/** Billionths of one; undefined when the text is not a quantity or finer than a billionth. */
export function parseQuantity(text: string | number): bigint | undefined {
  const match = FORM.exec(String(text));
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', unit = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  let factor = SUFFIX.get(unit) ?? ONE;
  const power = Number(exponent ?? '0');
  if (power > 0) factor *= 10n ** BigInt(power);
  let value = BigInt(whole + fraction) * factor;
  const divisor = 10n ** BigInt(fraction.length + Math.max(0, -power));
  if (value % divisor !== 0n) return undefined;
  value /= divisor;
  return sign === '-' ? -value : value;
}

/** The shortest exact text: binary units for sizes, `m` for fractions. Inverse of `parseQuantity`. */
export function quantityText(billionths: bigint, form: 'size' | 'count'): string {
  if (billionths === 0n) return '0';
  if (billionths % ONE !== 0n) {
    for (const unit of ['m', 'u', 'n'] as const) {
      const factor = SUFFIX.get(unit) ?? 1n;
      if (billionths % factor === 0n) return `${billionths / factor}${unit}`;
    }
  }
  if (form === 'size') {
    for (const unit of BINARY) {
      const factor = SUFFIX.get(unit) ?? ONE;
      if (billionths % factor === 0n) return `${billionths / factor}${unit}`;
    }
  }
  return String(billionths / ONE);
}
