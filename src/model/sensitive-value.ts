import { type Json, valueAt } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';

/**
 * Whether the leaf of a configuration under a pointer, which its schema marks `x-sensitive`, says the secret itself. `{ secret: NAME }` of a
 * declared secret is a reference; an empty text, nothing and yes or no say nothing.
 */
export function isLiteralSecret(configuration: Json, pointer: string, declared: readonly string[]): boolean {
  const value = valueAt(configuration, pointer);
  if (value === undefined || value === null || value === '' || typeof value === 'boolean') return false;
  if (typeof value === 'object' && Object.keys(value).length === 0) return false;
  return !(pointer.endsWith('/secret') && typeof value === 'string' && declared.includes(value));
}

/** V-80; never the value. */
export function sensitiveLiteral(pointer: string, place: Place): Problem {
  return {
    code: 'sensitive-literal',
    rule: 'V-80',
    severity: 'error',
    phase: 'validate',
    message: `${visibleText(pointer)} is sensitive and stands here as plain text; use spec.secrets`,
    remedy:
      'Declare a secret in spec.secrets, let the environment say where it comes from, and change the value: git keeps what it has seen.',
    place,
    related: [],
  };
}
