import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { fromBER } from 'asn1js';
import { Certificate } from 'pkijs';
import { describe, expect, test } from 'vitest';

import { commitSignatures } from '#adapters/signatures/signatures.ts';
import type { CommitFinding } from '#model/commit-finding.ts';
import type { EmbeddedSignature } from '#model/signed-object.ts';

const PAYLOAD = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n');
const port = commitSignatures(() => Promise.reject(new Error('a chain needs no bundles')));

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const bytes = [body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff];
  const used = bytes.slice(bytes.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([tag, ...(body.length < 128 ? [body.length] : [0x80 | used.length, ...used])]), body]);
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const SHA256 = der(0x30, oid('608648016503040201'));
const ECDSA = der(0x30, oid('2a8648ce3d040302'));
const DATA = oid('2a864886f70d010701');
const integer = (value: number): Buffer => der(0x02, Buffer.from([value]));
const time = (text: string): Buffer => der(0x18, Buffer.from(text));
const name = (text: string): Buffer => der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(text)))));

interface Holder {
  readonly name: string;
  readonly key: KeyObject;
  readonly der: Buffer;
}

interface Wish {
  readonly issuer?: Holder | undefined;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly usage?: number;
  readonly extensions?: readonly Buffer[];
  readonly from?: string;
  readonly until?: string;
  readonly email?: string;
}

let serial = 1;

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return der(0x30, oid(id), ...(isCritical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

/** A certificate of P-256, made by hand so that it may be as wrong as a test wants. */
function certificate(subject: string, wish: Wish = {}): Holder {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { issuer, isAuthority = false, pathLength, usage = isAuthority ? 0x04 : 0x80 } = wish;
  const limits = [der(0x01, Buffer.from([isAuthority ? 0xff : 0])), ...(pathLength === undefined ? [] : [integer(pathLength)])];
  const extensions = [
    extension('551d13', true, der(0x30, ...(isAuthority ? limits : []))),
    extension('551d0f', true, der(0x03, Buffer.from([0, usage]))),
    ...(wish.email === undefined ? [] : [extension('551d11', false, der(0x30, der(0x81, Buffer.from(wish.email))))]),
    ...(wish.extensions ?? []),
  ];
  serial += 1;
  const body = der(
    0x30,
    der(0xa0, integer(2)),
    integer(serial),
    ECDSA,
    name(issuer?.name ?? subject),
    der(0x30, time(wish.from ?? '20200101000000Z'), time(wish.until ?? '20400101000000Z')),
    name(subject),
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = sign('sha256', body, issuer?.key ?? pair.privateKey);
  return {
    name: subject,
    key: createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    der: der(0x30, body, ECDSA, der(0x03, Buffer.from([0]), signature)),
  };
}

interface Bent {
  readonly pool?: readonly Buffer[];
  readonly attributes?: readonly Buffer[];
  readonly signers?: number;
}

const TYPE = der(0x30, oid('2a864886f70d010903'), der(0x31, DATA));
const DIGEST = der(0x30, oid('2a864886f70d010904'), der(0x31, der(0x04, createHash('sha256').update(PAYLOAD).digest())));

function signed(by: Holder, { pool = [by.der], attributes = [TYPE, DIGEST], signers = 1 }: Bent = {}): EmbeddedSignature {
  const set = der(0x31, ...attributes);
  const parts = new Certificate({ schema: fromBER(by.der).result });
  const sid = der(0x30, Buffer.from(parts.issuer.toSchema().toBER()), Buffer.from(parts.serialNumber.toBER()));
  const info = der(0x30, integer(1), sid, SHA256, der(0xa0, ...attributes), ECDSA, der(0x04, sign('sha256', set, by.key)));
  const infos = der(0x31, ...Array.from({ length: signers }, () => info));
  const content = der(0x30, integer(1), der(0x31, SHA256), der(0x30, DATA), der(0xa0, ...pool), infos);
  return embedded(der(0x30, oid('2a864886f70d010702'), der(0xa0, content)));
}

function embedded(bytes: Buffer): EmbeddedSignature {
  return { form: 'x509', armoured: pem('SIGNED MESSAGE', bytes).trimEnd(), payload: PAYLOAD };
}

function pem(label: string, bytes: Buffer): string {
  return [`-----BEGIN ${label}-----`, ...(bytes.toString('base64').match(/.{1,64}/g) ?? []), `-----END ${label}-----`, ''].join('\n');
}

function examined(signature: EmbeddedSignature, root: Holder | string): Promise<CommitFinding> {
  const text = typeof root === 'string' ? root : pem('CERTIFICATE', root.der);
  return port.examine({ signature, credential: { kind: 'x509-root', pem: text, identity: undefined }, trustedRoot: undefined });
}

const root = certificate('root', { isAuthority: true });

describe('a chain', () => {
  test('holds as long as each of its certificates, and tells whom the last one names', async () => {
    const between = certificate('between', { issuer: root, isAuthority: true, until: '20300101000000Z' });
    const ada = certificate('ada', { issuer: between, from: '20250101000000Z', email: 'ada@example.org' });

    expect(await examined(signed(ada, { pool: [ada.der, between.der] }), root)).toMatchObject({
      kind: 'holds',
      fact: { identities: ['ada@example.org'], goodFrom: Date.UTC(2025, 0, 1), goodBefore: Date.UTC(2030, 0, 1, 0, 0, 1) },
    });
  });

  test('may be the given certificate itself', async () => {
    const alone = certificate('alone');

    expect(await examined(signed(alone), alone)).toMatchObject({ kind: 'holds' });
  });

  test.each<[string, string, () => { readonly signer: Holder; readonly pool: readonly Holder[] }]>([
    [
      'a certificate on the way is missing',
      'untrusted-certificate',
      () => ({ signer: certificate('x', { issuer: certificate('y', { issuer: root, isAuthority: true }) }), pool: [] }),
    ],
    ['a certificate on the way is no authority', 'untrusted-certificate', () => below(certificate('y', { issuer: root, usage: 0x04 }))],
    [
      'an authority may not sign certificates',
      'untrusted-certificate',
      () => below(certificate('y', { issuer: root, isAuthority: true, usage: 0x80 })),
    ],
    [
      'an authority may have none below it',
      'untrusted-certificate',
      () => {
        const top = certificate('top', { issuer: root, isAuthority: true, pathLength: 0 });
        const next = certificate('next', { issuer: top, isAuthority: true });
        return { signer: certificate('x', { issuer: next }), pool: [next, top] };
      },
    ],
    [
      'an authority constrains names',
      'untrusted-certificate',
      () => below(certificate('y', { issuer: root, isAuthority: true, extensions: [extension('551d1e', false, der(0x30))] })),
    ],
    [
      'a critical extension is not known',
      'untrusted-certificate',
      () => below(certificate('y', { issuer: root, isAuthority: true, extensions: [extension('2a03', true, der(0x30))] })),
    ],
    [
      'the names fit and the signature does not',
      'untrusted-certificate',
      () =>
        below(
          certificate('y', { issuer: { ...root, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }, isAuthority: true }),
        ),
    ],
    [
      'another root of the same name signed',
      'untrusted-certificate',
      () => ({ signer: certificate('x', { issuer: certificate('root', { isAuthority: true }) }), pool: [] }),
    ],
    [
      'authorities vouch for each other in a circle',
      'untrusted-certificate',
      () => {
        const one = certificate('one', { isAuthority: true });
        const two = certificate('two', { issuer: one, isAuthority: true });
        const back = { ...certificate('one', { issuer: two, isAuthority: true }), key: one.key };
        return { signer: certificate('x', { issuer: two }), pool: [two, back, one] };
      },
    ],
    [
      'it is longer than eight',
      'untrusted-certificate',
      () => {
        const all: Holder[] = [root];
        for (let at = 0; at < 10; at += 1) all.push(certificate(`level ${at}`, { issuer: all.at(-1), isAuthority: true }));
        return { signer: certificate('x', { issuer: all.at(-1) }), pool: all.slice(1) };
      },
    ],
    ['the key is for something else', 'not-a-signing-key', () => ({ signer: certificate('x', { issuer: root, usage: 0x20 }), pool: [] })],
    [
      'the certificate is for servers',
      'not-a-signing-key',
      () => ({
        signer: certificate('x', { issuer: root, extensions: [extension('551d25', false, der(0x30, oid('2b06010505070301')))] }),
        pool: [],
      }),
    ],
  ])('is refused when %s: %s', async (_, code, make) => {
    const { signer, pool } = make();

    expect(await examined(signed(signer, { pool: [signer, ...pool].map((one) => one.der) }), root)).toMatchObject({
      kind: 'refused',
      code,
    });
  });

  function below(issuer: Holder): { readonly signer: Holder; readonly pool: readonly Holder[] } {
    return { signer: certificate('x', { issuer }), pool: [issuer] };
  }
});

describe('a CMS signature', () => {
  const ada = certificate('ada', { issuer: root });

  test.each<[string, () => EmbeddedSignature]>([
    ['two signers', () => signed(ada, { signers: 2 })],
    ['no certificate of the signer', () => signed(ada, { pool: [root.der] })],
    [
      'more than sixteen certificates',
      () => signed(ada, { pool: [ada.der, ...Array.from({ length: 16 }, (_, at) => certificate(`x${at}`).der)] }),
    ],
    ['no digest among the signed attributes', () => signed(ada, { attributes: [TYPE] })],
    ['two digests', () => signed(ada, { attributes: [TYPE, DIGEST, DIGEST] })],
    ['no content type', () => signed(ada, { attributes: [DIGEST] })],
    [
      'bytes behind its end',
      () => embedded(Buffer.concat([Buffer.from(signed(ada).armoured.split('\n').slice(1, -1).join(''), 'base64'), Buffer.from([0])])),
    ],
    [
      '5,000 levels',
      () => embedded(Array.from({ length: 5000 }).reduce<Buffer>((inner) => (inner.length < 40_000 ? der(0x30, inner) : inner), der(0x30))),
    ],
    ['indefinite lengths without end', () => embedded(Buffer.alloc(40_000, Buffer.from([0x30, 0x80])))],
    ['30,000 values', () => embedded(der(0x30, Buffer.alloc(45_000, Buffer.from([0x05, 0x00]))))],
    ['noise', () => embedded(Buffer.from(createHash('sha512').update('noise').digest()))],
    ['text around it', () => ({ ...signed(ada), armoured: `x\n${signed(ada).armoured}` })],
  ])('with %s is refused', async (_, make) => {
    const began = performance.now();

    expect(await examined(make(), root)).toMatchObject({ kind: 'refused', code: 'malformed-signature' });

    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test.each([
    ['no certificate', ''],
    ['noise', pem('CERTIFICATE', Buffer.from('noise'))],
    ['text around it', `my root\n${pem('CERTIFICATE', root.der)}`],
    ['a private key in it', pem('CERTIFICATE', root.der) + String(root.key.export({ type: 'pkcs8', format: 'pem' }))],
    ['100 certificates', pem('CERTIFICATE', root.der).repeat(100)],
  ])('is compared with no root file of %s', async (_, text) => {
    expect(await examined(signed(ada), text)).toMatchObject({ kind: 'refused', code: 'malformed-key' });
  });
});
