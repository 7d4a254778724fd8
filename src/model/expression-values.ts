import type { CelMap, CelValue } from '@bufbuild/cel';
import type { SemVer } from 'semver';

import type { IpAddress, IpPrefix } from '#model/network-address.ts';
import { addressText, prefixText } from '#model/network-address.ts';
import { cel } from '#model/on-demand.ts';
import type { RequestUrl } from '#model/request-url.ts';

/** Values of the Kubernetes libraries. */
interface HeldValues {
  /** In billionths. */
  readonly Quantity: bigint;
  readonly URL: RequestUrl;
  readonly IP: IpAddress;
  readonly CIDR: IpPrefix;
  readonly Semver: SemVer;
}

type HeldKind = keyof HeldValues;

/** To the evaluator each is a map that holds its canonical text, so that equal values are equal. */
const holding: { readonly [K in HeldKind]: WeakMap<CelMap, HeldValues[K]> } = {
  Quantity: new WeakMap(),
  URL: new WeakMap(),
  IP: new WeakMap(),
  CIDR: new WeakMap(),
  Semver: new WeakMap(),
};

/** Names of the types that are held. */
export const KINDS: ReadonlySet<string> = new Set(Object.keys(holding));

export function heldQuantity(billionths: bigint): CelMap {
  return hold('Quantity', billionths, String(billionths));
}

export function heldUrl(url: RequestUrl): CelMap {
  return hold('URL', url, url.text);
}

export function heldAddress(address: IpAddress): CelMap {
  return hold('IP', address, addressText(address));
}

export function heldPrefix(prefix: IpPrefix): CelMap {
  return hold('CIDR', prefix, prefixText(prefix));
}

export function heldVersion(version: SemVer): CelMap {
  return hold('Semver', version, version.version);
}

/** What was held; throws for any other value, a map with the same content included. */
export function heldIn<K extends HeldKind>(kind: K, value: CelValue | undefined): HeldValues[K] {
  const held = cel().isCelMap(value) ? holding[kind].get(value) : undefined;
  if (held === undefined) throw new Error(`a ${kind} is wanted here`);
  return held;
}

export function kindOf(value: CelValue | undefined): string | undefined {
  if (!cel().isCelMap(value)) return undefined;
  return Object.entries(holding).find(([, values]) => values.has(value))?.[0];
}

function hold<K extends HeldKind>(kind: K, value: HeldValues[K], canonical: string): CelMap {
  const held = cel().celMap(new Map([[kind, canonical]]));
  holding[kind].set(held, value);
  return held;
}
