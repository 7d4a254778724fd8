import type { CelFunc, CelType, CelValue } from '@bufbuild/cel';

import { cel } from '#model/on-demand.ts';

/** What an evaluation may still spend. One unit is about one step of the evaluator, or ten characters that a function reads or makes. */
export interface Meter {
  left: number;
}

/** Takes from the meter; throws when nothing is left, and again at every later try. */
export function spend(meter: Meter, units: number): void {
  meter.left -= units;
  if (meter.left < 0) throw new Error('the cost limit is reached');
}

/** The same function, which pays for what it reads before it runs and for what it makes after. */
export function charged(func: CelFunc, meter: Meter): CelFunc {
  const { name, target, result } = func;
  const takes: readonly CelType[] = func.arguments;
  const pay = (on: CelValue | undefined, given: readonly CelValue[]): CelValue => {
    spend(meter, costOf(name, on === undefined ? given : [on, ...given], meter.left));
    const answer = func.call(0, on, [...given]);
    if (answer === undefined) throw new Error(`${name} cannot be applied to this`);
    if (cel().isCelError(answer)) throw answer;
    if (typeof answer === 'string') spend(meter, answer.length / 10);
    else if (cel().isCelList(answer) && name !== CONCAT) spend(meter, answer.size);
    return answer;
  };
  if (target === undefined) return cel().celFunc(name, takes, result, (...given: readonly CelValue[]) => pay(undefined, given));
  return cel().celMethod(name, target, takes, result, function (this: CelValue, ...given: readonly CelValue[]) {
    return pay(this, given);
  });
}

const CONCAT = '_+_';
const PATTERNS: ReadonlySet<string> = new Set(['matches', 'find', 'findAll']);
const DEEP: ReadonlySet<string> = new Set(['_==_', '_!=_', '@in', 'indexOf', 'lastIndexOf']);
const PAIRS: ReadonlySet<string> = new Set(['sets.contains', 'sets.equivalent', 'sets.intersects']);

function costOf(name: string, values: readonly CelValue[], limit: number): number {
  if (PATTERNS.has(name)) {
    const [text = '', pattern = ''] = values.map((value) => (typeof value === 'string' ? value : ''));
    return 1 + (text.length / 10 + 1) * (pattern.length / 4 + 1) + pattern.length;
  }
  if (name === 'replace' || name === 'join') {
    // What comes out may be as long as the one times the other, so it is paid before it is made.
    const lengths = values.map((value) => (typeof value === 'string' ? value.length + 1 : weight(value, limit) * 10));
    return 1 + lengths.reduce((product, length) => product * length, 1) / 10;
  }
  if (DEEP.has(name)) return values.reduce<number>((sum, value) => sum + weight(value, limit), 1);
  if (PAIRS.has(name)) return values.reduce<number>((product, value) => product * (weight(value, limit) + 1), 1);
  // A list joined to another grows by the smaller one at most, so lists stay within what was paid.
  const sizes = values.map((value) => (typeof value === 'string' ? value.length / 10 : cel().isCelList(value) ? value.size : 0));
  return 1 + (name === CONCAT ? Math.min(...sizes) : sizes.reduce((sum, size) => sum + size, 0));
}

/** How much there is to compare; counts no further than the limit. */
function weight(value: CelValue, limit: number): number {
  let found = 0;
  const open: CelValue[] = [value];
  for (let next = open.pop(); next !== undefined && found <= limit; next = open.pop()) {
    found += typeof next === 'string' ? 1 + next.length / 10 : 1;
    if (cel().isCelList(next)) open.push(...first(next, limit - found));
    else if (cel().isCelMap(next)) open.push(...first(next.values(), limit - found));
  }
  return found;
}

function* first(values: Iterable<CelValue>, most: number): Iterable<CelValue> {
  let taken = 0;
  for (const value of values) {
    if (taken > most) return;
    taken += 1;
    yield value;
  }
}
