import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { maskOf } from '#model/secret-mask.ts';
import { toSecret, type Secret } from '#model/secret.ts';
import type { WireAnswer } from './exchange.ts';

const OPENING = 0x7b;

/**
 * What goes into messages, receipts and logs (a refusal, what is no JSON, a redirect, a warning) is rid of what was sent, should whoever
 * answered repeat it: a server that is not the right one, a proxy, a debugging admission webhook.
 */
export function cleanAnswer(answer: WireAnswer, sent: readonly string[]): WireAnswer {
  const { status, headers, body } = answer;
  const isWords = status >= 300 || body[0] !== OPENING;
  const { location, warning } = headers;
  if (!isWords && location === undefined && warning === undefined) return answer;
  const mask = maskOf(secretsIn(sent));
  const clean = (value: string | string[]): string | string[] => (typeof value === 'string' ? mask(value) : value.map(mask));
  return {
    status,
    headers: {
      ...headers,
      ...(location === undefined ? {} : { location: clean(location) }),
      ...(warning === undefined ? {} : { warning: clean(warning) }),
    },
    body: isWords ? Buffer.from(mask(body.toString('utf8')), 'utf8') : body,
  };
}

/** An event of a watch: one that tells of an error is words, too. */
export function cleanEvent(event: JsonObject, sent: readonly string[]): JsonObject {
  if (event['type'] !== 'ERROR') return event;
  const secrets = secretsIn(sent);
  const cleaned = withTexts(event, maskOf(secrets), 0);
  return isJsonObject(cleaned) ? cleaned : event;
}

const DEEPEST = 32;

function withTexts(value: Json, clean: (text: string) => string, depth: number): Json {
  if (typeof value === 'string') return clean(value);
  if (depth > DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item: Json) => withTexts(item, clean, depth + 1));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), withTexts(item, clean, depth + 1)]));
}

function secretsIn(headers: readonly string[]): readonly Secret[] {
  const at = headers.indexOf('authorization');
  const [, credential] = at < 0 ? [] : (headers[at + 1]?.split(' ', 2) ?? []);
  return credential === undefined ? [] : [toSecret(credential)];
}
