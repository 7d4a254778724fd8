import { parseInstant } from '#model/instant.ts';
import type { Json } from '#model/json.ts';
import { quoted } from '#model/quoted.ts';

/** Values as the decoder of the Kubernetes server takes them. */

export function isInteger(value: Json, size: 'int32' | 'int64'): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  const limit = size === 'int32' ? 2 ** 31 : 2 ** 63;
  return value >= -limit && value < limit;
}

const QUANTITY = /^[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,10})?$/;

export function isQuantity(value: Json): boolean {
  return typeof value === 'number' || (typeof value === 'string' && QUANTITY.test(value));
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}([.,]\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

export function isTime(value: Json): boolean {
  return typeof value === 'string' && TIME.test(value) && parseInstant(value.replace(',', '.')) !== undefined;
}

export function isBase64(value: Json): boolean {
  if (typeof value !== 'string') return false;
  const text = value.replaceAll(/[\r\n]/g, '');
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** `the number 3`, `a list`: what a value is, in words; with what it says unless that may be secret. */
export function typeName(value: Json, isSecret: boolean): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return isSecret ? 'a text' : `the text ${quoted(value, 40)}`;
  if (typeof value === 'number') return isSecret ? 'a number' : `the number ${value}`;
  if (typeof value === 'boolean') return isSecret ? 'true or false' : String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}
