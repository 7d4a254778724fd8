import { refuse, invalid } from './answer.ts';

/** Reads fields of a JSON request body, refusing what has the wrong type with GitHub's 422. */
export interface Body {
  readonly resource: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

export function bodyOf(value: unknown, resource: string): Body {
  if (value === undefined || value === null || value === '') return { resource, fields: new Map() };
  if (typeof value !== 'object' || Array.isArray(value)) throw refuse(400, 'Body should be a JSON object');
  const entries = Object.entries(value);
  if (entries.some(([key]) => FORBIDDEN.has(key))) throw refuse(400, 'Problems parsing JSON');
  return { resource, fields: new Map(entries) };
}

export function has(body: Body, field: string): boolean {
  return body.fields.has(field);
}

export function optionalText(body: Body, field: string): string | undefined {
  const value = body.fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalid(body.resource, field, 'invalid');
  return value;
}

export function text(body: Body, field: string): string {
  const value = optionalText(body, field);
  if (value === undefined || value === '') throw invalid(body.resource, field, 'missing_field');
  return value;
}

export function flag(body: Body, field: string): boolean | undefined {
  const value = body.fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw invalid(body.resource, field, 'invalid');
  return value;
}

export function integer(body: Body, field: string): number | undefined {
  const value = body.fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalid(body.resource, field, 'invalid');
  return value;
}

export function texts(body: Body, field: string): readonly string[] | undefined {
  const value = body.fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalid(body.resource, field, 'invalid');
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw invalid(body.resource, field, 'invalid');
    return item;
  });
}

export function integers(body: Body, field: string): readonly number[] | undefined {
  const value = body.fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalid(body.resource, field, 'invalid');
  return value.map((item: unknown) => {
    if (typeof item !== 'number' || !Number.isSafeInteger(item)) throw invalid(body.resource, field, 'invalid');
    return item;
  });
}

/** undefined where absent or null. */
export function nested(body: Body, field: string): Body | undefined {
  const value = body.fields.get(field);
  return value === undefined || value === null ? undefined : bodyOf(value, body.resource);
}

export function bodies(body: Body, field: string): readonly Body[] | undefined {
  const value = body.fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalid(body.resource, field, 'invalid');
  return value.map((item: unknown) => bodyOf(item, body.resource));
}

export function oneOf<T extends string>(body: Body, field: string, known: readonly T[]): T | undefined {
  const value = optionalText(body, field);
  if (value === undefined) return undefined;
  const found = known.find((item) => item === value);
  if (found === undefined) throw invalid(body.resource, field, 'invalid');
  return found;
}
