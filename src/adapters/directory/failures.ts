import { isPortError, PortError } from '#ports/port-error.ts';
import type { PortErrorKind } from '#ports/port-error.ts';
import { codeOf } from './disk.ts';

const KINDS: Readonly<Record<string, PortErrorKind>> = {
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ELOOP: 'denied',
  ENAMETOOLONG: 'invalid',
};

/** What the operating system says, as the loops understand it; anything unknown is worth another try. */
export function diskFailure(error: unknown, doing: string): PortError {
  if (isPortError(error)) return error;
  const code = codeOf(error);
  const kind = code === undefined ? undefined : KINDS[code];
  return new PortError(kind ?? 'transient', `directory target: ${doing}: ${code ?? 'failed'}`, error);
}
