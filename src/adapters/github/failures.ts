import { PortError, type PortErrorKind } from '#ports/port-error.ts';

/** An HTTP answer that is no success, in the fields that we believe. */
interface HttpFailure {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export function httpFailure(error: unknown): HttpFailure | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  const response = 'response' in error && typeof error.response === 'object' && error.response !== null ? error.response : undefined;
  const headers = response !== undefined && 'headers' in response ? response.headers : undefined;
  const isRecord = typeof headers === 'object' && headers !== null;
  return { status: error.status, message: error.message, headers: isRecord ? { ...headers } : {} };
}

export function statusOf(error: unknown): number | undefined {
  return httpFailure(error)?.status;
}

/** What the forge said, in one line that is fit for a pull request and holds no link to its documentation. */
export function forgeWords(error: unknown): string {
  // What a client stumbles over was no answer of such an API; its words are about the client, and repeat the answer.
  if (error instanceof TypeError) return 'its answer is not one of this API; is forge.baseUrl right?';
  const message = error instanceof Error ? error.message : 'no reason given';
  return message.split(' - https://', 1)[0]?.split('\n', 1)[0]?.slice(0, 300) ?? message;
}

export function toPortError(error: unknown, doing: string): PortError {
  if (error instanceof PortError) return error;
  const failure = httpFailure(error);
  const cause = withoutRequest(error);
  if (failure === undefined) return new PortError('transient', `${doing}: ${forgeWords(error)}`, cause);
  if (isLimit(failure)) return new PortError('transient', `${doing}: the forge's rate limit is used up${resetText(failure)}`, cause);
  return new PortError(kindOf(failure.status), `${doing}: the forge answered ${failure.status} (${forgeWords(error)})`, cause);
}

/** The client's errors carry the request, its body included: whoever prints one would print the secret of a webhook that was to be installed. */
function withoutRequest(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const bare = new Error(error.message);
  bare.name = error.name;
  if (error.stack !== undefined) bare.stack = error.stack;
  return bare;
}

/** Runs calls to the forge; whatever they throw leaves as a PortError that says what was being done. */
export async function asking<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toPortError(error, doing);
  }
}

function kindOf(status: number): PortErrorKind {
  if (status === 401 || status === 403) return 'denied';
  if (status === 404 || status === 410) return 'missing';
  if (status === 409 || status === 412) return 'conflict';
  if (status === 408 || status === 429 || status >= 500) return 'transient';
  return 'invalid';
}

/** Primary and secondary limits come as 403 or 429. */
function isLimit(failure: HttpFailure): boolean {
  if (failure.status === 429) return true;
  if (failure.status !== 403) return false;
  return (
    failure.headers['x-ratelimit-remaining'] === '0' ||
    failure.headers['retry-after'] !== undefined ||
    /secondary rate|rate limit/i.test(failure.message)
  );
}

function resetText(failure: HttpFailure): string {
  const wait = Number(failure.headers['retry-after']);
  if (Number.isFinite(wait)) return `; it may be asked again in ${wait} s`;
  const reset = Number(failure.headers['x-ratelimit-reset']);
  return Number.isFinite(reset) ? `; it resets at ${new Date(reset * 1000).toISOString()}` : '';
}
