import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

import { PortError } from '#ports/port-error.ts';

/** Addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** One each: a list takes IPv4 for its form in IPv6 as well. */
const INSIDE = { 4: new BlockList(), 6: new BlockList() } as const;
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  INSIDE[4].addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 127],
  // IPv4 in the clothes of IPv6 is reached by its own name.
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INSIDE[6].addSubnet(network, bits, 'ipv6');

/**
 * Who writes a declaration must not make the engine ask what only the engine can reach: its own machine, its network, the metadata of a cloud.
 * Answers the one entry of `http.curloptResolve` by which git then goes to the very addresses that were looked at, whatever the name says later.
 */
export async function publicHost(url: string, named: string, resolve: Resolve): Promise<string> {
  const { hostname, port } = new URL(url);
  const written = /^https:\/\/([^/:?#]*)/.exec(url)?.[1]?.toLowerCase();
  // 2130706433, 0x7f.1 and 127.1 are spellings of an address that not every reader understands in the same way.
  if (written !== hostname) throw inside(named);
  const addresses = isIP(hostname) === 0 ? await resolved(hostname, named, resolve) : [hostname];
  if (addresses.length === 0 || addresses.some(isInside)) throw inside(named);
  return `${hostname}:${port || '443'}:${addresses.join(',')}`;
}

function isInside(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return INSIDE[4].check(address, 'ipv4');
  return family !== 6 || INSIDE[6].check(address, 'ipv6');
}

async function resolved(host: string, named: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch (error) {
    throw new PortError('transient', `the host of ${named} could not be looked up`, error);
  }
}

function inside(named: string): PortError {
  return new PortError(
    'invalid',
    `${named} leads to an address of this machine or of a private network. If that is meant, list the beginning of its address under imports.from in capstan.yaml.`,
  );
}
