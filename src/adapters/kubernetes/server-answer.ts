import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { visibleText } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';
import type { ApiAnswer, ApiRequest } from './api.ts';
import type { WireAnswer } from './exchange.ts';
import { serverWords } from './failures.ts';
import type { ServerAccess } from './server-access.ts';

/** An answer as what it says; PortError `invalid` for a success that is no JSON object. */
export function toAnswer(answer: WireAnswer, asked: ApiRequest, access: ServerAccess): ApiAnswer {
  const { status } = answer;
  const body = parsed(answer.body);
  if (body !== undefined && (status < 300 || status >= 400)) return { status, body, warnings: warningsOf(answer) };
  if (status < 400) throw notAnApi(answer, asked, access);
  return { status, body: statusObject(answer), warnings: warningsOf(answer) };
}

/** The `Status` of a refusal with its code, whoever on the way to the server wrote it. */
export function statusObject({ status: code, body }: WireAnswer): JsonObject {
  const said = parsed(body);
  if (said !== undefined && said['kind'] === 'Status') return { ...said, code };
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: excerpt(body) };
}

export function described({ method, path }: Pick<ApiRequest, 'method' | 'path'>): string {
  return `${method} ${visibleText(path.split('?', 1)[0] ?? path)}`;
}

function notAnApi(answer: WireAnswer, asked: ApiRequest, access: ServerAccess): PortError {
  const { location } = answer.headers;
  const said = typeof location === 'string' ? `a redirect to ${visibleText(location)}` : `what is no JSON object: ${excerpt(answer.body)}`;
  return new PortError(
    'invalid',
    `${serverWords(access)} answered ${described(asked)} (${answer.status}) with ${said}. Is it the address of an API server?`,
  );
}

function excerpt(body: Buffer): string {
  return visibleText(body.subarray(0, 1000).toString('utf8').trim());
}

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const WARNING = /\d{3} \S+ "((?:[^"\\]|\\.)*)"/g;

/** `299 - "text"` as RFC 7234 wrote them; HTTP/2 hands over all of them in one. */
function warningsOf({ headers }: WireAnswer): readonly string[] {
  const { warning } = headers;
  if (warning === undefined) return [];
  return [...[warning].flat().join(', ').matchAll(WARNING)].map(([, text = '']) => visibleText(text.replaceAll(/\\(.)/g, '$1'), 1000));
}
