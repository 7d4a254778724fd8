import { type Instant, parseInstant } from '#model/instant.ts';

/** Both ends count; a date alone means that whole day (UTC); a window that cannot be read is closed. */
export function isInWindow(signer: Window, at: Instant): boolean {
  const { from, until } = windowOf(signer);
  if (signer.validFrom !== undefined && (from === undefined || at < from)) return false;
  return signer.validUntil === undefined || (until !== undefined && at <= until);
}

type Window = { readonly [name in 'validFrom' | 'validUntil']?: string | undefined };

/** The two ends as times; undefined where there is none, or it cannot be read. */
export function windowOf({ validFrom, validUntil }: Window): { readonly from: Instant | undefined; readonly until: Instant | undefined } {
  return {
    from: validFrom === undefined ? undefined : instantOf(validFrom, 'T00:00:00.000Z'),
    until: validUntil === undefined ? undefined : instantOf(validUntil, 'T23:59:59.999Z'),
  };
}

/** A time without a zone would mean another moment on another machine. */
function instantOf(text: string, ofDay: string): Instant | undefined {
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}${ofDay}` : text;
  return /(?:Z|[+-]\d{2}:\d{2})$/.test(whole) ? parseInstant(whole) : undefined;
}
