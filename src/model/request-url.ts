import { Buffer } from 'node:buffer';

/** A URL as Kubernetes' expressions read one: absolute with a scheme, or a path that begins with a slash. Nothing is normalised. */
export interface RequestUrl {
  readonly text: string;
  readonly scheme: string;
  /** With brackets and port. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly escapedPath: string;
  /** Decoded, in the order of the text. */
  readonly query: ReadonlyMap<string, readonly string[]>;
}

const LIMIT = 8192;
const FORM = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/s;
const AUTHORITY = /^(?:[A-Za-z0-9._~!$&'()*+,;=:%-]*@)?(\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[^\s:@[\]<>"\\^`{|}]*)(?::([0-9]*))?$/;

/** Undefined when the text is none. A `#` is part of the path, as in a request. */
export function parseRequestUrl(text: string): RequestUrl | undefined {
  if (text === '' || text.length > LIMIT || /\p{Cc}/u.test(text)) return undefined;
  const [, scheme = '', authority, path = '', query = ''] = FORM.exec(text) ?? [];
  if (scheme === '' && !text.startsWith('/')) return undefined;
  // Without a scheme, `//host` is a path.
  const isAbsolute = scheme !== '';
  const place = isAbsolute ? (authority ?? '') : '';
  const ownPath = isAbsolute || authority === undefined ? path : `//${authority}${path}`;
  const match = AUTHORITY.exec(place);
  const isOpaque = isAbsolute && authority === undefined && !path.startsWith('/');
  if (match === null || decoded(isOpaque ? '' : ownPath, false) === undefined) return undefined;
  const [, hostname = '', port] = match;
  if (decoded(hostname, false) === undefined) return undefined;
  return {
    text,
    scheme: scheme.toLowerCase(),
    host: port === undefined ? hostname : `${hostname}:${port}`,
    hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port ?? '',
    escapedPath: isOpaque ? '' : escaped(ownPath),
    query: queryOf(query),
  };
}

function queryOf(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    // A part that cannot be read is left out.
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const key = decoded(equals < 0 ? pair : pair.slice(0, equals), true);
    const value = equals < 0 ? '' : decoded(pair.slice(equals + 1), true);
    if (key === undefined || value === undefined) continue;
    const values = found.get(key);
    if (values === undefined) found.set(key, [value]);
    else values.push(value);
  }
  return found;
}

function decoded(text: string, isQuery: boolean): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const spaced = isQuery ? text.replaceAll('+', ' ') : text;
  const bytes = spaced.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
  return bytes;
}

function escaped(path: string): string {
  return path.replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, (char) =>
    [...Buffer.from(char, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
