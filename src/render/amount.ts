import { parseDuration } from '#model/instant.ts';
import { parseQuantity } from '#model/quantity.ts';
import type { Scope } from './scope.ts';
import { report } from './scope.ts';

export function milliseconds(scope: Scope, text: string | undefined, pointer: string): number | undefined {
  if (text === undefined) return undefined;
  const value = parseDuration(text);
  if (value === undefined) {
    report(scope, pointer, {
      code: 'duration-invalid',
      rule: undefined,
      message: `${JSON.stringify(text.slice(0, 40))} is not a duration`,
      remedy: 'Write a duration such as 30s, 10m or 1h30m.',
    });
  }
  return value;
}

export function quantityAt(scope: Scope, value: string | number | undefined, pointer: string): bigint | undefined {
  if (value === undefined) return undefined;
  const amount = parseQuantity(value);
  if (amount === undefined) {
    report(scope, pointer, {
      code: 'quantity-invalid',
      rule: undefined,
      message: `${JSON.stringify(value)} is not a quantity`,
      remedy: 'Write a Kubernetes quantity such as 100m, 1Gi or 0.25.',
    });
  }
  return amount;
}
