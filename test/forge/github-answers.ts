import { readFileSync } from 'node:fs';

import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { ROUTES } from '#forge/routes.ts';
import { githubPath, OWN_ROUTES, type Description } from './github-description.ts';

export const DESCRIPTION: Description = JSON.parse(readFileSync(new URL('github-openapi.generated.json', import.meta.url), 'utf8'));

/** GitHub answers these on any path and describes them on few. */
const EVERYWHERE = new Set(['304', '400', '401', '403', '404', '405', '409', '413', '422']);

const PATTERNS = ROUTES.map((route) => ({
  method: route.method,
  name: `${route.method} ${githubPath(route.path)}`,
  pattern: new RegExp(`^/api/v3${route.path.replaceAll(/\{\w+\+\}/g, '.+').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
  literal: route.path.replaceAll(/\{\w+\+?\}/g, '').length,
})).sort((a, b) => b.literal - a.literal);

export interface Checked {
  readonly violations: string[];
  /** `GET /repos/{owner}/{repo} 200` of every answer that was checked. */
  readonly seen: Set<string>;
}

export type AnswerCheck = (method: string, url: URL, response: Response) => Promise<void>;

/** Checks an answer of a covered path against GitHub's OpenAPI description, and collects what does not fit. */
export function answerChecker(into: Checked): AnswerCheck {
  const ajv = new Ajv2020({ strict: false, allErrors: false, schemas: [{ ...DESCRIPTION, $id: 'github' }] });
  addFormats.default(ajv);

  return async (method, url, response) => {
    const route = PATTERNS.find((item) => item.method === method && item.pattern.test(url.pathname));
    if (route === undefined || OWN_ROUTES.has(route.name)) return;
    const status = String(response.status);
    into.seen.add(`${route.name} ${status}`);
    const described = DESCRIPTION.operations[route.name] ?? {};
    if (!Object.hasOwn(described, status) && !EVERYWHERE.has(status)) {
      into.violations.push(`${route.name} ${status}: GitHub describes only ${Object.keys(described).join(', ')}`);
      return;
    }
    const body = await response.text();
    if ((described[status] === null && response.ok) || status === '304') {
      if (body !== '') into.violations.push(`${route.name} ${status}: GitHub answers without a body`);
      return;
    }
    if (!(response.headers.get('content-type') ?? '').includes('json')) return;
    const pointer = (described[status] ?? null) !== null ? `operations/${token(route.name)}/${status}` : 'definitions/basic-error';
    const validate = ajv.compile({ $ref: `github#/${pointer}` });
    if (!validate(JSON.parse(body)))
      into.violations.push(`${route.name} ${status}: ${ajv.errorsText(validate.errors)} in ${body.slice(0, 400)}`);
  };
}

function token(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}
