import type { KeyObject } from 'node:crypto';
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** A certificate and its key, in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly name: string;
}

export interface Wanted {
  /** Common name. */
  readonly name: string;
  /** Absent: signed by itself. */
  readonly by?: Issued;
  readonly from?: string;
  readonly to?: string;
  readonly isAuthority?: boolean;
  readonly organizations?: readonly string[];
  /** Addresses and host names of a server. */
  readonly addresses?: readonly string[];
  readonly hosts?: readonly string[];
}

/** Makes certificates that no program at hand would make: expired ones, ones of the future, ones of another authority. X.509 v3 with ECDSA. */
export function issue(wanted: Wanted): Issued {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const issuer = wanted.by ?? { name: wanted.name, key };
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const body = sequence(
    tagged(0xa0, integer(2)),
    integer(serial()),
    algorithm,
    distinguished(issuer.name, []),
    sequence(time(wanted.from ?? '2020-01-01T00:00:00Z'), time(wanted.to ?? '2049-01-01T00:00:00Z')),
    distinguished(wanted.name, wanted.organizations ?? []),
    publicKey(pair.publicKey),
    tagged(0xa3, sequence(...extensions(wanted))),
  );
  const signature = sign('sha256', body, issuer.key);
  const der = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = der
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n');
  return { cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key, name: wanted.name };
}

function extensions({ isAuthority, addresses, hosts }: Wanted): readonly Buffer[] {
  const names = [
    ...(hosts ?? []).map((host) => tagged(0x82, Buffer.from(host))),
    ...(addresses ?? []).map((address) => tagged(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  return [
    ...(isAuthority === true
      ? [sequence(oid('551d13'), tagged(0x01, Buffer.of(0xff)), tagged(0x04, sequence(tagged(0x01, Buffer.of(0xff)))))]
      : []),
    ...(names.length > 0 ? [sequence(oid('551d11'), tagged(0x04, sequence(...names)))] : []),
    // For servers and for clients.
    sequence(oid('551d25'), tagged(0x04, sequence(oid('2b06010505070301'), oid('2b06010505070302')))),
  ];
}

function distinguished(name: string, organizations: readonly string[]): Buffer {
  const part = (type: string, text: string): Buffer => tagged(0x31, sequence(oid(type), tagged(0x0c, Buffer.from(text))));
  return sequence(...organizations.map((text) => part('55040a', text)), part('550403', name));
}

let issued = 0;
function serial(): number {
  issued++;
  return issued;
}

function publicKey(key: KeyObject): Buffer {
  return createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' });
}

/** Years before 2050, as RFC 5280 writes them. */
function time(iso: string): Buffer {
  return tagged(0x17, Buffer.from(`${new Date(iso).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

function integer(value: number): Buffer {
  const hex = value.toString(16);
  return tagged(0x02, Buffer.from(`00${hex.length % 2 === 0 ? hex : `0${hex}`}`.replace(/^00(?=[0-7])/, ''), 'hex'));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
