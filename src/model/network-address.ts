/** IP addresses and prefixes as Kubernetes' expressions read them: no zones, no IPv4 written as IPv6, no leading zeros. */

export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface IpPrefix {
  readonly address: IpAddress;
  readonly bits: number;
}

const BITS = { 4: 32, 6: 128 } as const;
const MAPPED = 0xffffn;

/** Undefined when the text is no address. */
export function parseAddress(text: string): IpAddress | undefined {
  if (text.length > 45) return undefined;
  const value = text.includes(':') ? ipv6(text) : ipv4(text);
  if (value === undefined) return undefined;
  const family = text.includes(':') ? 6 : 4;
  return family === 6 && value >> 32n === MAPPED ? undefined : { family, value };
}

/** `10.0.0.0/8`; bits below the prefix may be set. */
export function parsePrefix(text: string): IpPrefix | undefined {
  const slash = text.lastIndexOf('/');
  const bits = text.slice(slash + 1);
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(bits) || Number(bits) > BITS[address.family]) return undefined;
  return { address, bits: Number(bits) };
}

/** The canonical text: RFC 5952 for IPv6. */
export function addressText({ family, value }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - 16 * at)) & 0xffffn));
  const run = longestZeros(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return run.length < 2 ? hex(groups) : `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

export function prefixText({ address, bits }: IpPrefix): string {
  return `${addressText(address)}/${bits}`;
}

/** The same prefix with the bits below it cleared. */
export function maskedPrefix({ address, bits }: IpPrefix): IpPrefix {
  const below = BigInt(BITS[address.family] - bits);
  return { address: { family: address.family, value: (address.value >> below) << below }, bits };
}

export function containsAddress(prefix: IpPrefix, { family, value }: IpAddress): boolean {
  const below = BigInt(BITS[prefix.address.family] - prefix.bits);
  return family === prefix.address.family && value >> below === prefix.address.value >> below;
}

export function containsPrefix(prefix: IpPrefix, other: IpPrefix): boolean {
  return prefix.bits <= other.bits && containsAddress(prefix, other.address);
}

export type AddressTrait = 'unspecified' | 'loopback' | 'linkLocalMulticast' | 'linkLocalUnicast' | 'globalUnicast';

const RANGES: Readonly<Record<Exclude<AddressTrait, 'globalUnicast'>, readonly string[]>> = {
  unspecified: ['0.0.0.0/32', '::/128'],
  loopback: ['127.0.0.0/8', '::1/128'],
  linkLocalMulticast: ['224.0.0.0/24', 'ff02::/16'],
  linkLocalUnicast: ['169.254.0.0/16', 'fe80::/10'],
};
const NOT_GLOBAL: readonly string[] = [
  ...RANGES.unspecified,
  ...RANGES.loopback,
  ...RANGES.linkLocalUnicast,
  '255.255.255.255/32',
  '224.0.0.0/4',
  'ff00::/8',
];

/** Private addresses are global unicast, as they are in Go and in RFC 1122. Any `ff?2::` is link-local multicast, whatever its flags. */
export function hasTrait(address: IpAddress, trait: AddressTrait): boolean {
  if (trait === 'globalUnicast') return !isIn(address, NOT_GLOBAL);
  if (trait === 'linkLocalMulticast' && address.family === 6)
    return address.value >> 120n === 0xffn && ((address.value >> 112n) & 15n) === 2n;
  return isIn(address, RANGES[trait]);
}

function isIn(address: IpAddress, ranges: readonly string[]): boolean {
  return ranges.some((text) => {
    const prefix = parsePrefix(text);
    return prefix !== undefined && containsAddress(prefix, address);
  });
}

function ipv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) return undefined;
  let value = 0n;
  for (const part of parts) value = (value << 8n) | BigInt(part);
  return value;
}

function ipv6(text: string): bigint | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const front = groupsOf(head, tail === undefined);
  const back = tail === undefined ? [] : groupsOf(tail, true);
  if (front === undefined || back === undefined) return undefined;
  const missing = 8 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...front, ...Array.from({ length: missing }, () => 0n), ...back]) value = (value << 16n) | group;
  return value;
}

/** The last group may be an IPv4 address. */
function groupsOf(text: string, isLast: boolean): readonly bigint[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const out: bigint[] = [];
  for (const [at, part] of parts.entries()) {
    const embedded = isLast && at === parts.length - 1 && part.includes('.') ? ipv4(part) : undefined;
    if (embedded !== undefined) out.push(embedded >> 16n, embedded & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return out;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [at, group] of [...groups, 1].entries()) {
    if (group === 0) continue;
    if (at - start > best.length) best = { start, length: at - start };
    start = at + 1;
  }
  return best;
}
