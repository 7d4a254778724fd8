import { isPortError } from '#ports/port-error.ts';

/** Exit codes of contracts.md section 1. */
export const EXIT = { ok: 0, failed: 1, changes: 2, refused: 3, conflict: 4, partly: 5, usage: 64, interrupted: 130 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (!isPortError(error)) return EXIT.failed;
  switch (error.kind) {
    case 'conflict':
      return EXIT.conflict;
    case 'denied':
      return EXIT.refused;
    case 'transient':
    case 'missing':
    case 'invalid':
    case 'unsupported':
      return EXIT.failed;
  }
}

/** Wrong usage: what is wrong and what to type instead. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}
