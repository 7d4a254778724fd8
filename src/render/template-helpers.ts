import type Handlebars from 'handlebars';

import { sha256Of } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { canonicalJson, isJsonObject } from '#model/json.ts';
import { EMIT } from './template-syntax.ts';

const LONGEST = 1024 * 1024;

export interface HelperWorld {
  /** Turns of loops so far in this run; reset by who runs the template. */
  readonly state: { iterations: number };
  readonly limits: { readonly iterations: number; readonly outputCharacters: number };
  readonly file: (path: string) => string;
}

type Helper = (this: unknown, ...args: unknown[]) => unknown;

/** The closed list of helpers, and the internal one that emits. Values are JSON only; none makes a Buffer or reaches outside. */
export function templateHelpers(engine: typeof Handlebars, world: HelperWorld): Readonly<Record<string, Helper>> {
  const each: Helper = function each(context, options) {
    return eachTurn(engine, world, { context, options: options as Handlebars.HelperOptions, self: this });
  };
  return {
    [EMIT]: (value, words) => emitted(value, String(words)),
    each,
    ...pure(
      (name, arity, run) =>
        (...args: unknown[]) => {
          const given = args.slice(0, -1);
          if (given.length < arity.least || given.length > arity.most)
            throw new Error(`${name} takes ${arity.least} values, not ${given.length}`);
          return run(given);
        },
      world,
    ),
  };
}

interface Arity {
  readonly least: number;
  readonly most: number;
}
type Wrap = (name: string, arity: Arity, run: (args: readonly unknown[]) => unknown) => Helper;

function pure(wrap: Wrap, world: HelperWorld): Record<string, Helper> {
  const helpers: Record<string, Helper> = {};
  const add = (name: string, arity: readonly [number, number], run: (args: readonly unknown[]) => unknown): void => {
    helpers[name] = wrap(name, { least: arity[0], most: arity[1] }, run);
  };
  add('eq', [2, 2], ([a, b]) => same(a, b));
  add('ne', [2, 2], ([a, b]) => !same(a, b));
  add('lt', [2, 2], (args) => ordered('lt', args) < 0);
  add('lte', [2, 2], (args) => ordered('lte', args) <= 0);
  add('gt', [2, 2], (args) => ordered('gt', args) > 0);
  add('gte', [2, 2], (args) => ordered('gte', args) >= 0);
  add('and', [1, 100], (args) => args.find((one) => !isTrue(one)) ?? (args.every(isTrue) ? args.at(-1) : false));
  add('or', [1, 100], (args) => args.find((one) => isTrue(one)) ?? args.at(-1));
  add('not', [1, 1], ([value]) => !isTrue(value));
  add('concat', [1, 100], (args) => bounded(args.map((one) => textOf('concat', one)).join('')));
  add('join', [1, 2], ([list, separator]) =>
    bounded(
      listOf('join', list)
        .map((one) => textOf('join', one))
        .join(separator === undefined ? ',' : textOf('join', separator)),
    ),
  );
  add('lower', [1, 1], ([value]) => textOf('lower', value).toLowerCase());
  add('upper', [1, 1], ([value]) => textOf('upper', value).toUpperCase());
  add('trimSuffix', [2, 2], ([value, suffix]) => withoutSuffix(textOf('trimSuffix', value), textOf('trimSuffix', suffix)));
  add('replace', [3, 3], ([value, from, to]) => replaced(textOf('replace', value), textOf('replace', from), textOf('replace', to)));
  add('truncate', [2, 2], ([value, length]) => textOf('truncate', value).slice(0, Math.max(0, Math.trunc(numberOf('truncate', length)))));
  add('default', [2, 2], ([value, fallback]) => (value === undefined || value === null || value === '' ? fallback : value));
  add('has', [2, 2], ([value, key]) => hasMember(value, key));
  add('keys', [1, 1], ([value]) => (isJsonObject(value as Json) ? Object.keys(value as JsonObject).sort() : refuse('keys', 'a map')));
  add('json', [1, 1], ([value]) => (value === undefined ? refuse('json', 'a value') : canonicalJson(value as Json)));
  add('base64', [1, 1], ([value]) => Buffer.from(bounded(textOf('base64', value)), 'utf8').toString('base64'));
  add('sha256', [1, 1], ([value]) => sha256Of(textOf('sha256', value)));
  add('file', [1, 1], ([path]) => world.file(textOf('file', path)));
  return helpers;
}

const ESCAPED = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** The JSON text of a value, readable as YAML in one line; an error with the words of the template when there is none. */
function emitted(value: unknown, words: string): string {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') throw new Error(`${words} has no value`);
  return JSON.stringify(value).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

interface Turns {
  readonly context: unknown;
  readonly options: Handlebars.HelperOptions;
  readonly self: unknown;
}

/** `each` over a list, or over a map in key order, within the run's budget of turns and characters. */
function eachTurn(engine: typeof Handlebars, world: HelperWorld, turns: Turns): string {
  const { context, options } = turns;
  const items = itemsOf(context);
  if (items.length === 0) return options.inverse(turns.self);
  let output = '';
  items.forEach(([key, value], at) => {
    world.state.iterations += 1;
    if (world.state.iterations > world.limits.iterations) throw new Error(`takes more than ${world.limits.iterations} turns of its loops`);
    const data: unknown =
      options.data === undefined
        ? undefined
        : Object.assign(engine.createFrame(options.data), { key, index: at, first: at === 0, last: at === items.length - 1 });
    output += options.fn(value, { data, blockParams: [value, key] });
    if (output.length > world.limits.outputCharacters) throw new Error(`gives more than ${world.limits.outputCharacters} characters`);
  });
  return output;
}

function itemsOf(context: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(context)) return context.map((value: unknown, at) => [at, value] as const);
  if (isJsonObject(context as Json))
    return Object.keys(context as JsonObject)
      .sort()
      .map((key) => [key, (context as JsonObject)[key]] as const);
  if (context === undefined || context === null || context === false) return [];
  return refuse('each', 'a list or a map');
}

function refuse(helper: string, wanted: string): never {
  throw new Error(`${helper} needs ${wanted}`);
}

function textOf(helper: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return refuse(helper, value === undefined ? 'a value, and got one that is not set' : 'a scalar');
}

function numberOf(helper: string, value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(helper, 'a number');
}

function listOf(helper: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(helper, 'a list');
}

function bounded(text: string): string {
  return text.length > LONGEST ? refuse('a template', `texts of at most ${LONGEST} characters`) : text;
}

function withoutSuffix(text: string, suffix: string): string {
  return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

/** The length is known before the text is made. */
function replaced(text: string, from: string, to: string): string {
  if (from === '') return text;
  const pieces = text.split(from);
  if (text.length + (pieces.length - 1) * to.length > LONGEST) bounded('x'.repeat(LONGEST + 1));
  return pieces.join(to);
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a === null || b === null) return false;
  return typeof a === 'object' && typeof b === 'object' && canonicalJson(a as Json) === canonicalJson(b as Json);
}

function ordered(helper: string, args: readonly unknown[]): number {
  const [a, b] = args;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return refuse(helper, 'two numbers or two texts');
}

/** Handlebars' own idea of truth: empty lists and empty texts are false. */
function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function hasMember(value: unknown, key: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => same(item, key));
  return typeof value === 'object' && value !== null && (typeof key === 'string' || typeof key === 'number') && Object.hasOwn(value, key);
}
