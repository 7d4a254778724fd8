import type { Answer } from './answer.ts';
import { ok } from './answer.ts';
import type { Call } from './call.ts';

const LARGEST_PAGE = 100;

export interface Window {
  readonly page: number;
  readonly size: number;
}

export function windowOf(call: Call): Window {
  return { page: positive(call.query.get('page'), 1), size: Math.min(LARGEST_PAGE, positive(call.query.get('per_page'), 30)) };
}

/** One page of `items`, with GitHub's Link header; `view` is called for this page only. */
export async function paged<T>(call: Call, items: readonly T[], view: (item: T) => unknown): Promise<Answer> {
  const { body, headers } = await cut(call, items, view);
  return ok(body, headers);
}

/** The same below a key and `total_count`, as GitHub does for some lists. */
export async function pagedUnder<T>(call: Call, key: string, items: readonly T[], view: (item: T) => unknown): Promise<Answer> {
  const { body, headers } = await cut(call, items, view);
  return ok({ total_count: items.length, [key]: body }, headers);
}

async function cut<T>(
  call: Call,
  items: readonly T[],
  view: (item: T) => unknown,
): Promise<{ readonly body: readonly unknown[]; readonly headers: Readonly<Record<string, string>> }> {
  const { page, size } = windowOf(call);
  const shown = items.slice((page - 1) * size, page * size);
  const body = await Promise.all(shown.map((item) => view(item)));
  return { body, headers: linkHeader(call, page, Math.max(1, Math.ceil(items.length / size))) };
}

function linkHeader(call: Call, page: number, last: number): Readonly<Record<string, string>> {
  const links = [
    ...(page > 1 ? [link(call, { page: String(page - 1) }, 'prev')] : []),
    ...(page < last ? [link(call, { page: String(page + 1) }, 'next'), link(call, { page: String(last) }, 'last')] : []),
    ...(page > 1 ? [link(call, { page: '1' }, 'first')] : []),
  ];
  return links.length === 0 ? {} : { link: links.join(', ') };
}

export function link(call: Call, change: Readonly<Record<string, string>>, relation: string): string {
  const query = new URLSearchParams([...call.query, ...Object.entries(change)].filter(([key], at, all) => lastOf(all, key) === at));
  return `<${call.world.url()}/api/v3${call.path}?${query.toString()}>; rel="${relation}"`;
}

function lastOf(pairs: readonly (readonly string[])[], key: string | undefined): number {
  return pairs.findLastIndex((pair) => pair[0] === key);
}

function positive(value: string | undefined, otherwise: number): number {
  const number = Number(value);
  return value !== undefined && Number.isSafeInteger(number) && number > 0 ? number : otherwise;
}
