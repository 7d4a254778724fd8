import { visibleText } from '#model/quoted.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { ServerAccess } from './server-access.ts';
import { skewWords } from './server-clock.ts';
import { outOfDate } from './validity.ts';

/** How the server is spoken of: which entry, and where it is. */
export function serverWords({ words, url }: ServerAccess): string {
  return `${words.cluster} (${url.origin})`;
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const MAY_PASS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
  // A stream of HTTP/2 that ended early, or a connection that is being retired.
  'UND_ERR_INFO',
]);

/** The server gave up one request (a panic ends like that) while others go on: it may do so each time. */
const GIVEN_UP = 'ERR_HTTP2_STREAM_ERROR';
const GIVEN_UP_TIMES = 5;

/** The connection could not be made or broke: asking again may help. */
export function mayPass(error: Error, times: number): boolean {
  const code = codeOf(error);
  return MAY_PASS.has(code) || (code === GIVEN_UP && times < GIVEN_UP_TIMES);
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_INFO: 'the connection was cut',
  [GIVEN_UP]: 'the server gave the request up',
  ETIMEDOUT: 'connecting timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped in the middle',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what listens there does not speak TLS; is it the right port?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what listens there does not speak TLS; is it the right port?',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this network',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host could not be looked up',
};

/** Why there is no answer, for somebody who has to repair it. */
export function noAnswer(error: Error, access: ServerAccess): PortError {
  if (isPortError(error)) return error;
  const why = UNREACHABLE[codeOf(error)];
  if (why === undefined) return new PortError('transient', `${serverWords(access)} cannot be asked: ${visibleText(error.message)}`, error);
  return new PortError('transient', `${serverWords(access)} cannot be reached: ${why}`, error);
}

/** 401: who was refused, and what is known of why. */
export async function refusedCredentials(access: ServerAccess, headers: readonly string[], ahead: number | undefined): Promise<PortError> {
  const now = Date.now();
  const { cert } = await access.tls();
  const why = outOfDate(headers, cert, now) ?? 'expired, revoked, or of another cluster';
  return new PortError('denied', `${serverWords(access)} does not accept ${access.words.user} (401): ${why}. Renew it.${skewWords(ahead)}`);
}
