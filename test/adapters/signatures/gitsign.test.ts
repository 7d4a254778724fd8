import { createHash, generateKeyPairSync, sign } from 'node:crypto';

import { fromBER } from 'asn1js';
import { Certificate } from 'pkijs';
import { beforeAll, describe, expect, test } from 'vitest';

import { commitSignatures } from '#adapters/signatures/signatures.ts';
import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import type { CommitFinding, LookedUpCredential } from '#model/commit-finding.ts';
import type { EmbeddedSignature } from '#model/signed-object.ts';
import { ADA, authorities, ISSUER, type Authorities, type Loose } from '#test/sigstore-authorities.ts';

const PAYLOAD = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n');
const LOG_ENTRY = '2b0601040183bf300301';
const KEYLESS: LookedUpCredential = { kind: 'keyless', issuer: ISSUER, identity: { kind: 'exact', identity: ADA } };

let world: Authorities;
let port: ReturnType<typeof commitSignatures>;

beforeAll(async () => {
  world = await authorities();
  port = commitSignatures(async () => sigstoreBundles());
});

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

const SHA256 = der(0x30, oid('608648016503040201'));
const DATA = oid('2a864886f70d010701');
const ONE = der(0x02, Buffer.from([1]));

interface Made {
  readonly signedAttributes: Buffer;
  readonly signature: Buffer;
  readonly certificate: Buffer;
}

/** What gitsign logs of a commit. */
function body({ signedAttributes, signature, certificate }: Made): Loose {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(signedAttributes).digest('hex') } },
      signature: { content: signature.toString('base64'), publicKey: { content: Buffer.from(pem).toString('base64') } },
    },
  };
}

async function made(): Promise<Made> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const attributes = [
    der(0x30, oid('2a864886f70d010903'), der(0x31, DATA)),
    der(0x30, oid('2a864886f70d010904'), der(0x31, der(0x04, createHash('sha256').update(PAYLOAD).digest()))),
  ];
  const signedAttributes = der(0x31, ...attributes);
  return { signedAttributes, signature: sign('sha256', signedAttributes, privateKey), certificate: await world.certificate(publicKey) };
}

function cms({ signedAttributes, signature, certificate }: Made, entry: Buffer | undefined): EmbeddedSignature {
  const parts = new Certificate({ schema: fromBER(certificate).result });
  const sid = der(0x30, Buffer.from(parts.issuer.toSchema().toBER()), Buffer.from(parts.serialNumber.toBER()));
  const signed = Buffer.from(signedAttributes);
  signed[0] = 0xa0;
  const unsigned = entry === undefined ? [] : [der(0xa1, der(0x30, oid(LOG_ENTRY), der(0x31, der(0x04, entry))))];
  const signer = der(0x30, ONE, sid, SHA256, signed, der(0x30, oid('2a8648ce3d040302')), der(0x04, signature), ...unsigned);
  const content = der(0x30, ONE, der(0x31, SHA256), der(0x30, DATA), der(0xa0, certificate), der(0x31, signer));
  const bytes = der(0x30, oid('2a864886f70d010702'), der(0xa0, content));
  const armoured = [
    '-----BEGIN SIGNED MESSAGE-----',
    ...(bytes.toString('base64').match(/.{1,64}/g) ?? []),
    '-----END SIGNED MESSAGE-----',
  ];
  return { form: 'x509', armoured: armoured.join('\n'), payload: PAYLOAD };
}

function field(number: number, value: Buffer | string | bigint): Buffer {
  const varint = (given: bigint): Buffer => {
    const bytes: number[] = [];
    for (let rest = given; ; rest >>= 7n) {
      bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
      if (rest <= 0x7fn) return Buffer.from(bytes);
    }
  };
  if (typeof value === 'bigint') return Buffer.concat([varint(BigInt(number << 3)), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes]);
}

/** As gitsign embeds it: without the body. */
function protobuf(entry: Loose): Buffer {
  const proof = entry.inclusionProof;
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  return Buffer.concat([
    field(1, BigInt(entry.logIndex)),
    field(2, field(1, bytes(entry.logId.keyId))),
    field(3, Buffer.concat([field(1, 'hashedrekord'), field(2, '0.0.1')])),
    field(4, BigInt(entry.integratedTime)),
    field(5, field(1, bytes(entry.inclusionPromise.signedEntryTimestamp))),
    field(
      6,
      Buffer.concat([
        field(1, BigInt(proof.logIndex)),
        field(2, bytes(proof.rootHash)),
        field(3, BigInt(proof.treeSize)),
        field(5, field(1, proof.checkpoint.envelope)),
      ]),
    ),
  ]);
}

async function examined(signature: EmbeddedSignature, credential = KEYLESS, root: Loose = world.root): Promise<CommitFinding> {
  return port.examine({ signature, credential, trustedRoot: root === undefined ? undefined : Buffer.from(JSON.stringify(root)) });
}

describe('a keyless signature with its log entry', () => {
  test('holds offline, at the time that the log vouches for', async () => {
    const own = await made();
    const entry = await world.logged(body(own));

    const finding = await examined(cms(own, protobuf(entry)));

    expect(finding).toMatchObject({
      kind: 'holds',
      fact: { identities: [ADA], issuer: ISSUER, provenAt: Number(entry.integratedTime) * 1000 },
    });
  });

  test.each([
    ['another identity', { ...KEYLESS, identity: { kind: 'exact', identity: `${ADA}x` } }, 'wrong-identity'],
    ['another issuer', { ...KEYLESS, issuer: `${ISSUER}/` }, 'wrong-identity'],
  ] as const)('is refused for %s', async (_, credential, code) => {
    const own = await made();

    expect(await examined(cms(own, protobuf(await world.logged(body(own)))), credential)).toMatchObject({ kind: 'refused', code });
  });

  test('is refused without the entry, without a trusted root, and with a root that does not know the log', async () => {
    const own = await made();
    const entry = protobuf(await world.logged(body(own)));

    expect(await examined(cms(own, undefined))).toMatchObject({ code: 'no-log-proof' });
    expect(await port.examine({ signature: cms(own, entry), credential: KEYLESS, trustedRoot: undefined })).toMatchObject({
      code: 'untrusted-log',
    });
    expect(await examined(cms(own, entry), KEYLESS, { ...world.root, tlogs: [] })).toMatchObject({ kind: 'refused' });
  });

  test('is refused with the genuine entry of another signature, and with an entry that cannot be read', async () => {
    const [own, other] = [await made(), await made()];
    const entry = protobuf(await world.logged(body(other)));

    expect(await examined(cms(own, entry))).toMatchObject({ kind: 'refused', code: 'untrusted-log' });
    expect(await examined(cms(own, Buffer.from('not protobuf')))).toMatchObject({ code: 'malformed-signature' });
    expect(await examined(cms(own, Buffer.alloc(20_000, Buffer.from([0x08, 0x01]))))).toMatchObject({ code: 'malformed-signature' });
  });

  test('does not count by a root certificate alone: who could tell when its key was good', async () => {
    const own = await made();
    const entry = protobuf(await world.logged(body(own)));
    const { buffer, byteOffset, byteLength } = world.ca.rootCertificate;
    const lines =
      Buffer.from(buffer, byteOffset, byteLength)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;

    expect(await examined(cms(own, entry), { kind: 'x509-root', pem, identity: undefined })).toMatchObject({ code: 'no-log-proof' });
  });

  test('is refused for other bytes', async () => {
    const own = await made();
    const signature = cms(own, protobuf(await world.logged(body(own))));

    expect(await examined({ ...signature, payload: Buffer.from('x') })).toMatchObject({ code: 'bad-signature' });
  });
});
