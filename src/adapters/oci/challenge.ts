/** What a registry asks for in `WWW-Authenticate` (RFC 9110, 11.6.1). */
export type Challenge =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string | undefined };

const LONGEST = 8192;
const SCHEME = /(?:^|,)\s*(basic|bearer)(?=\s|,|$)/gi;
const PARAMETER = /([a-z_]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.){0,2048})"|([^\s",]{1,2048}))/gi;

/** Bearer is preferred; undefined where nothing is asked that we know. */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const text = header === undefined || typeof header === 'string' ? (header ?? '') : header.join(', ');
  if (text.length > LONGEST) return undefined;
  const starts = [...text.matchAll(SCHEME)];
  const challenges = starts.map((start, at) => ({
    scheme: (start[1] ?? '').toLowerCase(),
    parameters: parametersOf(text.slice(start.index + start[0].length, starts[at + 1]?.index)),
  }));
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'));
  if (bearer !== undefined)
    return { kind: 'bearer', realm: bearer.parameters.get('realm') ?? '', service: bearer.parameters.get('service') };
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined;
}

function parametersOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, key = '', quotedValue, plain] of text.matchAll(PARAMETER))
    if (!found.has(key.toLowerCase())) found.set(key.toLowerCase(), plain ?? (quotedValue ?? '').replaceAll(/\\(.)/g, '$1'));
  return found;
}
