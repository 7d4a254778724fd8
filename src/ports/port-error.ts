import type { Problem } from '#model/problem.ts';

export type PortErrorKind = 'transient' | 'missing' | 'denied' | 'conflict' | 'invalid' | 'unsupported';

/** What an adapter throws when the world says no. Loops turn it into an Ending; the message never holds a secret. */
export class PortError extends Error {
  readonly kind: PortErrorKind;
  constructor(kind: PortErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PortError';
    this.kind = kind;
  }
}

export function isPortError(error: unknown): error is PortError {
  return error instanceof PortError;
}

/** What a rule says of a place that cannot be used at all. */
export function refusal({ code, message, place, remedy, rule }: Problem): PortError {
  return new PortError(
    'invalid',
    `${place.file ?? ''}: ${message} (${[code, ...(rule === undefined ? [] : [rule])].join(', ')}). ${remedy}`,
  );
}
