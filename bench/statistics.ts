export interface Spread {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank figures, rounded to hundredths. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN);
  return { count: sorted.length, min: rounded(sorted[0] ?? Number.NaN), median: at(0.5), p99: at(0.99), max: at(1) };
}

/** Each of `slow` over the median of `fast`: how many times longer it takes. */
export function ratioOf(slow: readonly number[], fast: readonly number[]): Omit<Spread, 'p99'> {
  const { p99: _, ...spread } = spreadOf(slow.map((value) => value / spreadOf(fast).median));
  return spread;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
