import type { CelFunc, CelInput, CelList, CelType, CelValue } from '@bufbuild/cel';
import { RE2JS } from 're2js';
import type { SemVer } from 'semver';
import parseVersion from 'semver/functions/parse.js';

import { heldAddress, heldIn, heldPrefix, heldQuantity, heldUrl, heldVersion, kindOf, KINDS } from '#model/expression-values.ts';
import {
  addressText,
  containsAddress,
  containsPrefix,
  hasTrait,
  maskedPrefix,
  parseAddress,
  parsePrefix,
  prefixText,
} from '#model/network-address.ts';
import { cel } from '#model/on-demand.ts';
import { parseQuantity, quantityText } from '#model/quantity.ts';
import { parseRequestUrl } from '#model/request-url.ts';

/** Names of types as the checker of expressions knows them. */
export type TypeName = string;

/** How a function may be called. */
export interface Signature {
  readonly name: string;
  readonly on: TypeName | undefined;
  readonly takes: readonly TypeName[];
  readonly gives: TypeName;
}

interface LibraryFunction extends Signature {
  /** The value it is called on comes first. */
  run(...values: readonly CelValue[]): CelInput;
}

const ONE = 1_000_000_000n;
const LONGEST_INT = 1n << 63n;

function text(value: CelValue | undefined): string {
  if (typeof value !== 'string') throw new Error('a text is wanted here');
  return value;
}

function items(value: CelValue | undefined): CelList {
  if (!cel().isCelList(value)) throw new Error('a list is wanted here');
  return value;
}

function parsed<T>(kind: string, given: CelValue | undefined, parse: (text: string) => T | undefined): T {
  const found = parse(text(given));
  if (found === undefined) throw new Error(`${JSON.stringify(text(given).slice(0, 100))} is no ${kind}`);
  return found;
}

/** Names of functions that stand behind a word and a dot (`ip.isCanonical`); the word is no variable there. */
export const NAMESPACED: ReadonlySet<string> = new Set(['ip.isCanonical', 'sets.contains', 'sets.equivalent', 'sets.intersects']);

function fn(name: string, takes: readonly TypeName[], gives: TypeName, run: LibraryFunction['run']): LibraryFunction {
  return { name, on: undefined, takes, gives, run };
}

/** `on.name(takes): gives`, written as one text: `Quantity.add(int): Quantity`. */
function method(form: string, run: LibraryFunction['run']): LibraryFunction {
  const [, on = '', name = '', takes = '', gives = ''] = /^(\w+)\.(\w+)\(([^)]*)\): (\w+)$/.exec(form) ?? [];
  return { name, on, takes: takes === '' ? [] : takes.split(', '), gives, run };
}

const QUANTITIES: readonly LibraryFunction[] = [
  fn('isQuantity', ['string'], 'bool', (given) => parseQuantity(text(given)) !== undefined),
  fn('quantity', ['string'], 'Quantity', (given) => heldQuantity(parsed('quantity', given, parseQuantity))),
  // Documented as a method; Kubernetes 1.35 has it as a function.
  fn('sign', ['Quantity'], 'int', (given) => signOf(heldIn('Quantity', given))),
  method('Quantity.sign(): int', (on) => signOf(heldIn('Quantity', on))),
  method('Quantity.isInteger(): bool', (on) => isInteger(heldIn('Quantity', on))),
  method('Quantity.asInteger(): int', (on) => {
    const value = heldIn('Quantity', on);
    if (!isInteger(value)) throw new Error(`${quantityText(value, 'count')} is no whole number`);
    return value / ONE;
  }),
  method('Quantity.asApproximateFloat(): double', (on) => Number(heldIn('Quantity', on)) / Number(ONE)),
  method('Quantity.add(Quantity): Quantity', (on, other) => heldQuantity(heldIn('Quantity', on) + heldIn('Quantity', other))),
  method('Quantity.add(int): Quantity', (on, other) => heldQuantity(heldIn('Quantity', on) + whole(other) * ONE)),
  method('Quantity.sub(Quantity): Quantity', (on, other) => heldQuantity(heldIn('Quantity', on) - heldIn('Quantity', other))),
  method('Quantity.sub(int): Quantity', (on, other) => heldQuantity(heldIn('Quantity', on) - whole(other) * ONE)),
  method('Quantity.isGreaterThan(Quantity): bool', (on, other) => heldIn('Quantity', on) > heldIn('Quantity', other)),
  method('Quantity.isLessThan(Quantity): bool', (on, other) => heldIn('Quantity', on) < heldIn('Quantity', other)),
  method('Quantity.compareTo(Quantity): int', (on, other) => signOf(heldIn('Quantity', on) - heldIn('Quantity', other))),
];

const ADDRESSES: readonly LibraryFunction[] = [
  fn('isIP', ['string'], 'bool', (given) => parseAddress(text(given)) !== undefined),
  fn('ip', ['string'], 'IP', (given) => heldAddress(parsed('IP address', given, parseAddress))),
  fn('ip.isCanonical', ['string'], 'bool', (given) => addressText(parsed('IP address', given, parseAddress)) === given),
  fn('string', ['IP'], 'string', (given) => addressText(heldIn('IP', given))),
  method('IP.family(): int', (on) => BigInt(heldIn('IP', on).family)),
  method('IP.isUnspecified(): bool', (on) => hasTrait(heldIn('IP', on), 'unspecified')),
  method('IP.isLoopback(): bool', (on) => hasTrait(heldIn('IP', on), 'loopback')),
  method('IP.isLinkLocalMulticast(): bool', (on) => hasTrait(heldIn('IP', on), 'linkLocalMulticast')),
  method('IP.isLinkLocalUnicast(): bool', (on) => hasTrait(heldIn('IP', on), 'linkLocalUnicast')),
  method('IP.isGlobalUnicast(): bool', (on) => hasTrait(heldIn('IP', on), 'globalUnicast')),
  fn('isCIDR', ['string'], 'bool', (given) => parsePrefix(text(given)) !== undefined),
  fn('cidr', ['string'], 'CIDR', (given) => heldPrefix(parsed('CIDR', given, parsePrefix))),
  fn('string', ['CIDR'], 'string', (given) => prefixText(heldIn('CIDR', given))),
  method('CIDR.containsIP(IP): bool', (on, other) => containsAddress(heldIn('CIDR', on), heldIn('IP', other))),
  method('CIDR.containsIP(string): bool', (on, other) => containsAddress(heldIn('CIDR', on), parsed('IP address', other, parseAddress))),
  method('CIDR.containsCIDR(CIDR): bool', (on, other) => containsPrefix(heldIn('CIDR', on), heldIn('CIDR', other))),
  method('CIDR.containsCIDR(string): bool', (on, other) => containsPrefix(heldIn('CIDR', on), parsed('CIDR', other, parsePrefix))),
  method('CIDR.ip(): IP', (on) => heldAddress(heldIn('CIDR', on).address)),
  method('CIDR.masked(): CIDR', (on) => heldPrefix(maskedPrefix(heldIn('CIDR', on)))),
  method('CIDR.prefixLength(): int', (on) => BigInt(heldIn('CIDR', on).bits)),
];

const URLS: readonly LibraryFunction[] = [
  fn('isURL', ['string'], 'bool', (given) => parseRequestUrl(text(given)) !== undefined),
  fn('url', ['string'], 'URL', (given) => {
    const found = parsed('URL', given, parseRequestUrl);
    return heldUrl(found);
  }),
  method('URL.getScheme(): string', (on) => heldIn('URL', on).scheme),
  method('URL.getHost(): string', (on) => heldIn('URL', on).host),
  method('URL.getHostname(): string', (on) => heldIn('URL', on).hostname),
  method('URL.getPort(): string', (on) => heldIn('URL', on).port),
  method('URL.getEscapedPath(): string', (on) => heldIn('URL', on).escapedPath),
  method('URL.getQuery(): map', (on) => heldIn('URL', on).query),
];

const VERSIONS: readonly LibraryFunction[] = [
  fn('isSemver', ['string'], 'bool', (given) => strictVersion(text(given)) !== undefined),
  fn('isSemver', ['string', 'bool'], 'bool', (given, loose) => strictVersion(normal(text(given), loose)) !== undefined),
  fn('semver', ['string'], 'Semver', (given) => heldVersion(parsed('semantic version', given, strictVersion))),
  fn('semver', ['string', 'bool'], 'Semver', (given, loose) =>
    heldVersion(parsed('semantic version', given, (one) => strictVersion(normal(one, loose)))),
  ),
  method('Semver.major(): int', (on) => BigInt(heldIn('Semver', on).major)),
  method('Semver.minor(): int', (on) => BigInt(heldIn('Semver', on).minor)),
  method('Semver.patch(): int', (on) => BigInt(heldIn('Semver', on).patch)),
  method('Semver.isGreaterThan(Semver): bool', (on, other) => heldIn('Semver', on).compare(heldIn('Semver', other)) > 0),
  method('Semver.isLessThan(Semver): bool', (on, other) => heldIn('Semver', on).compare(heldIn('Semver', other)) < 0),
  method('Semver.compareTo(Semver): int', (on, other) => BigInt(heldIn('Semver', on).compare(heldIn('Semver', other)))),
];

const PATTERNS: readonly LibraryFunction[] = [
  method('string.find(string): string', (on, pattern) => found(on, pattern, 1)[0] ?? ''),
  method('string.findAll(string): list', (on, pattern) => found(on, pattern, -1)),
  method('string.findAll(string, int): list', (on, pattern, most) => found(on, pattern, Number(whole(most)))),
];

const LISTS: readonly LibraryFunction[] = [
  method('list.isSorted(): bool', (on) => {
    const all = [...items(on)];
    return all.every((item, at) => at === 0 || order(all[at - 1], item) <= 0);
  }),
  method('list.sum(): dyn', (on) => sumOf([...items(on)])),
  method('list.min(): dyn', (on) => extreme(items(on), -1)),
  method('list.max(): dyn', (on) => extreme(items(on), 1)),
  method('list.indexOf(dyn): int', (on, wanted) => BigInt([...items(on)].findIndex((item) => isEqual(item, wanted)))),
  method('list.lastIndexOf(dyn): int', (on, wanted) => BigInt([...items(on)].findLastIndex((item) => isEqual(item, wanted)))),
  fn('sets.contains', ['list', 'list'], 'bool', (all, some) => isWithin(items(some), items(all))),
  fn('sets.equivalent', ['list', 'list'], 'bool', (a, b) => isWithin(items(a), items(b)) && isWithin(items(b), items(a))),
  fn('sets.intersects', ['list', 'list'], 'bool', (a, b) => [...items(a)].some((one) => isWithin([one], items(b)))),
];

const LIBRARY: readonly LibraryFunction[] = [...QUANTITIES, ...ADDRESSES, ...URLS, ...VERSIONS, ...PATTERNS, ...LISTS];

/** How the functions of the Kubernetes libraries may be called. */
export const LIBRARY_SIGNATURES: readonly Signature[] = LIBRARY;

/** The functions of the Kubernetes libraries for the evaluator, one for each form of arguments that it can tell apart. */
export function libraryFunctions(): readonly CelFunc[] {
  const forms = new Map<string, LibraryFunction[]>();
  for (const one of LIBRARY) {
    const id = `${one.on === undefined ? '' : plainName(one.on)}.${one.name}(${one.takes.map(plainName).join(',')})`;
    forms.set(id, [...(forms.get(id) ?? []), one]);
  }
  return [...forms.values()].flatMap((alike) => {
    const [form] = alike;
    return form === undefined ? [] : [toCelFunc(form, alike)];
  });
}

function toCelFunc(form: LibraryFunction, alike: readonly LibraryFunction[]): CelFunc {
  const takes = form.takes.map(celTypeOf);
  const choose = (values: readonly CelValue[]): CelInput => {
    const one = alike.find((item) => fits(item, values));
    if (one === undefined) throw new Error(`${form.name} cannot be applied to this`);
    return one.run(...values);
  };
  if (form.on === undefined)
    return cel().celFunc(form.name, takes, celTypeOf(form.gives), (...values: readonly CelValue[]) => choose(values));
  return cel().celMethod(
    form.name,
    celTypeOf(form.on),
    takes,
    celTypeOf(form.gives),
    function (this: CelValue, ...values: readonly CelValue[]) {
      return choose([this, ...values]);
    },
  );
}

function fits(one: LibraryFunction, values: readonly CelValue[]): boolean {
  const wanted = [...(one.on === undefined ? [] : [one.on]), ...one.takes];
  return wanted.every((type, at) => !KINDS.has(type) || kindOf(values[at]) === type);
}

function plainName(type: TypeName): string {
  return KINDS.has(type) ? 'map' : type;
}

/** The evaluator's own type of that name; what it does not know may be anything. */
function celTypeOf(type: TypeName): CelType {
  const { CelScalar, listType, mapType } = cel();
  const known: Readonly<Record<string, () => CelType>> = {
    string: () => CelScalar.STRING,
    int: () => CelScalar.INT,
    double: () => CelScalar.DOUBLE,
    bool: () => CelScalar.BOOL,
    list: () => listType(CelScalar.DYN),
    map: () => mapType(CelScalar.DYN, CelScalar.DYN),
  };
  const name = plainName(type);
  return Object.hasOwn(known, name) ? (known[name]?.() ?? CelScalar.DYN) : CelScalar.DYN;
}

function whole(value: CelValue | undefined): bigint {
  if (typeof value !== 'bigint') throw new Error('a whole number is wanted here');
  return value;
}

function signOf(value: bigint): bigint {
  return value > 0n ? 1n : value < 0n ? -1n : 0n;
}

function isInteger(billionths: bigint): boolean {
  const value = billionths / ONE;
  return billionths % ONE === 0n && value < LONGEST_INT && value >= -LONGEST_INT;
}

function strictVersion(given: string): SemVer | undefined {
  if (given.length > 128 || !/^[0-9]/.test(given)) return undefined;
  return parseVersion(given) ?? undefined;
}

/** A leading v, missing parts and leading zeros are forgiven. */
function normal(given: string, loose: CelValue | undefined): string {
  if (loose !== true) return given;
  const [, numbers = '', rest = ''] = /^[vV]?([0-9.]*)(.*)$/s.exec(given) ?? [];
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=[0-9])/, ''));
  if (parts.length > 3 || parts.includes('')) return given;
  return `${[...parts, '0', '0'].slice(0, 3).join('.')}${rest}`;
}

function found(on: CelValue | undefined, pattern: CelValue | undefined, most: number): readonly string[] {
  const matcher = RE2JS.compile(text(pattern)).matcher(text(on));
  const out: string[] = [];
  while ((most < 0 || out.length < most) && matcher.find()) out.push(matcher.group() ?? '');
  return out;
}

function order(a: CelValue | undefined, b: CelValue | undefined): number {
  const ofKind = kindOf(a) === 'Quantity' && kindOf(b) === 'Quantity';
  if (ofKind) return Number(signOf(heldIn('Quantity', a) - heldIn('Quantity', b)));
  const comparable = isPrimitive(a) && isPrimitive(b) && (typeof a === typeof b || (isNumber(a) && isNumber(b)));
  if (!comparable) throw new Error('these cannot be put in an order');
  return a < b ? -1 : a > b ? 1 : 0;
}

function isPrimitive(value: CelValue | undefined): value is string | number | bigint | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || isNumber(value);
}

function isNumber(value: CelValue | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function sumOf(values: readonly CelValue[]): CelInput {
  if (values.every((value) => typeof value === 'bigint')) {
    const sum = values.reduce((a, b) => a + b, 0n);
    if (sum >= LONGEST_INT || sum < -LONGEST_INT) throw new Error('the sum is too large');
    return sum;
  }
  if (values.every((value) => typeof value === 'number')) return values.reduce((a, b) => a + b, 0);
  throw new Error('only numbers of one type have a sum');
}

function extreme(list: CelList, direction: -1 | 1): CelValue {
  const [head, ...rest] = [...list];
  if (head === undefined) throw new Error('an empty list has none');
  return rest.reduce<CelValue>((best, item) => (order(item, best) * direction > 0 ? item : best), head);
}

function isWithin(some: Iterable<CelValue>, all: CelList): boolean {
  const known = [...all];
  return [...some].every((one) => known.some((other) => isEqual(one, other)));
}

/** Equality of expressions: numbers across types, lists and maps by what they hold. */
function isEqual(a: CelValue | undefined, b: CelValue | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b);
  if (cel().isCelList(a)) {
    const others = cel().isCelList(b) ? [...b] : undefined;
    return others !== undefined && others.length === a.size && [...a].every((item, at) => isEqual(item, others[at]));
  }
  if (cel().isCelMap(a))
    return cel().isCelMap(b) && a.size === b.size && [...a.entries()].every(([key, item]) => isEqual(item, b.get(key)));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  throw new Error('these cannot be compared');
}
