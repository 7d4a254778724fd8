import type { Mask } from '#model/secret-mask.ts';
import { isPortError, PortError } from '#ports/port-error.ts';

/** What isomorphic-git throws, as a PortError. Its messages may quote the remote; they are rid of what it was sent, cut and cleaned. */
export function portError(doing: string, error: unknown, mask: Mask): PortError {
  if (isPortError(error)) return error;
  const said =
    error instanceof Error
      ? mask(error.message)
          .replace(/[^\x20-\x7e]/g, '?')
          .slice(0, 300)
      : '';
  const message = `${doing}: ${said}`;
  // Errors of the library carry what the remote said and was sent.
  const cause = new Error(said);
  switch (codeOf(error) ?? '') {
    case 'NotFoundError':
      return new PortError('missing', message, cause);
    case 'UserCanceledError':
      return new PortError('denied', `${doing}: the remote does not accept these credentials`, cause);
    case 'GitPushError':
      return new PortError(/protected|declined|hook|denied|prohibited/i.test(said) ? 'denied' : 'conflict', message, cause);
    case 'HttpError':
      return new PortError(kindOfStatus(error), message, cause);
    default:
      return new PortError('transient', message, cause);
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function kindOfStatus(error: unknown): 'denied' | 'missing' | 'transient' {
  const text = error instanceof Error ? error.message : '';
  if (/HTTP Error: 40[13]/.test(text)) return 'denied';
  return /HTTP Error: 404/.test(text) ? 'missing' : 'transient';
}
