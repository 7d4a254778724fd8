import {
  createMessage,
  enums,
  generateKey,
  PacketList,
  readKey,
  revokeKey,
  sign,
  type PrivateKey,
  type PublicKey,
  type SubkeyOptions,
} from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';

import { commitSignatures } from '#adapters/signatures/signatures.ts';
import type { CommitFinding } from '#model/commit-finding.ts';
import type { EmbeddedSignature } from '#model/signed-object.ts';

const PAYLOAD = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n');
const MADE = new Date('2026-01-01T00:00:00Z');
const DAY = 86_400;
const port = commitSignatures(() => Promise.reject(new Error('OpenPGP needs no bundles')));
let ada: PrivateKey;
let eve: PrivateKey;

beforeAll(async () => {
  ada = await key('ada');
  eve = await key('eve');
});

interface Wish {
  readonly expires?: number;
  readonly subkeys?: SubkeyOptions[];
}

async function key(name: string, { expires = 0, subkeys = [] }: Wish = {}): Promise<PrivateKey> {
  const made = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name, email: `${name}@example.org` }],
    date: MADE,
    keyExpirationTime: expires,
    subkeys,
    format: 'object',
  });
  return made.privateKey;
}

async function signed(by: PrivateKey, payload: Uint8Array = PAYLOAD): Promise<EmbeddedSignature> {
  const message = await createMessage({ binary: payload });
  const armoured = await sign({ message, signingKeys: by, detached: true, date: new Date(MADE.getTime() + 1000) });
  return { form: 'openpgp', armoured: String(armoured).replaceAll('\r\n', '\n').trimEnd(), payload: PAYLOAD };
}

async function examined(signature: EmbeddedSignature, certificate: PublicKey | PrivateKey | string): Promise<CommitFinding> {
  const armoured = typeof certificate === 'string' ? certificate : certificate.toPublic().armor().replaceAll('\r\n', '\n');
  return port.examine({ signature, credential: { kind: 'openpgp-key', armoured }, trustedRoot: undefined });
}

function armour(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN PGP ${label}-----`, '', ...lines, `-----END PGP ${label}-----`].join('\n');
}

function bytesOf(armoured: string): Buffer {
  const lines = armoured.split('\n');
  return Buffer.from(
    lines
      .slice(lines.indexOf('') + 1, -1)
      .filter((line) => !line.startsWith('='))
      .join(''),
    'base64',
  );
}

function packet(tag: number, body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.byteLength);
  return Buffer.concat([Buffer.from([0xc0 | tag, 255]), length, body]);
}

describe('a signature', () => {
  test('holds for its bytes and names the whole fingerprint', async () => {
    const fingerprint = ada.getFingerprint().toUpperCase();

    expect(await examined(await signed(ada), ada)).toEqual({
      kind: 'holds',
      fact: {
        fingerprint,
        signedBy: fingerprint,
        identities: [],
        issuer: undefined,
        goodFrom: MADE.getTime(),
        goodBefore: undefined,
        provenAt: undefined,
      },
    });
  });

  test('does not hold for others', async () => {
    expect(await examined(await signed(ada, Buffer.from('x')), ada)).toMatchObject({ code: 'bad-signature' });
  });

  test('of another key says of which', async () => {
    expect(await examined(await signed(eve), ada)).toEqual({ kind: 'other-key', key: eve.getFingerprint().toUpperCase() });
  });

  test.each([
    ['text before it', (text: string) => `x\n${text}`],
    ['text behind it', (text: string) => `${text}\nx`],
    ['a second block', (text: string) => `${text}\n${text}`],
    ['a checksum that does not fit', (text: string) => text.replace(/\n-----END/, '\n=AAAA\n-----END')],
    ['bytes behind its packet', (text: string) => armour('SIGNATURE', Buffer.concat([bytesOf(text), Buffer.from([0])]))],
    ['a second packet', (text: string) => armour('SIGNATURE', Buffer.concat([bytesOf(text), bytesOf(text)]))],
    ['half of its packet', (text: string) => armour('SIGNATURE', bytesOf(text).subarray(0, 40))],
    ['a compressed packet around it', (text: string) => armour('SIGNATURE', packet(8, Buffer.concat([Buffer.from([0]), bytesOf(text)])))],
    ['a length that is not said', (text: string) => armour('SIGNATURE', Buffer.concat([Buffer.from([0x8b]), bytesOf(text).subarray(2)]))],
    ['a length in parts', (text: string) => armour('SIGNATURE', Buffer.concat([Buffer.from([0xc2, 0xe9]), bytesOf(text).subarray(2)]))],
    ['nothing in it', () => armour('SIGNATURE', packet(2, Buffer.alloc(0)))],
    ['noise in it', () => armour('SIGNATURE', packet(2, Buffer.alloc(20_000, 4)))],
    ['a public key in place of it', () => armour('SIGNATURE', packet(6, Buffer.alloc(50, 4)))],
  ])('with %s is refused', async (_, change) => {
    const signature = await signed(ada);
    expect(await examined({ ...signature, armoured: change(signature.armoured) }, ada)).toMatchObject({ code: 'malformed-signature' });
  });
});

describe('a certificate', () => {
  test('tells when it expires, whatever the time is now', async () => {
    const brief = await key('brief', { expires: 30 * DAY });

    expect(await examined(await signed(brief), brief)).toMatchObject({ fact: { goodBefore: MADE.getTime() + 30 * DAY * 1000 } });
  });

  test('vouches for a signing subkey until the first of both expires', async () => {
    const both = await key('both', { expires: 30 * DAY, subkeys: [{ sign: true, keyExpirationTime: 10 * DAY }] });
    const [subkey] = both.getSubkeys();

    expect(await examined(await signed(both), both)).toMatchObject({
      fact: {
        fingerprint: both.getFingerprint().toUpperCase(),
        signedBy: subkey?.getFingerprint().toUpperCase(),
        goodBefore: MADE.getTime() + 10 * DAY * 1000,
      },
    });
  });

  test("does not vouch for somebody else's subkey that was put into it", async () => {
    const other = await key('other', { subkeys: [{ sign: true }] });
    const taken = other.getSubkeys()[0]?.keyPacket;
    const packets = new PacketList();
    packets.push(...ada.toPublic().toPacketList());
    const foreign = other.toPublic().toPacketList();
    packets.push(...foreign.slice(foreign.length - 2));

    expect(taken).toBeDefined();
    expect(await examined(await signed(other), armour('PUBLIC KEY BLOCK', packets.write()))).toMatchObject({ code: 'not-a-signing-key' });
  });

  test.each([
    ['compromised', enums.reasonForRevocation.keyCompromised],
    ['superseded', enums.reasonForRevocation.keySuperseded],
    ['retired', enums.reasonForRevocation.keyRetired],
  ])('that was revoked vouches for nothing: %s', async (_, flag) => {
    const signature = await signed(ada);
    const { publicKey } = await revokeKey({
      key: ada,
      reasonForRevocation: { flag },
      date: new Date('2099-01-01T00:00:00Z'),
      format: 'object',
    });

    expect(await examined(signature, publicKey)).toMatchObject({ code: 'revoked-key' });
  });

  test('with a revoked subkey vouches for its other keys only', async () => {
    const both = await key('both', { subkeys: [{ sign: true }] });
    const signature = await signed(both);
    const [subkey] = both.getSubkeys();
    const primary = both.keyPacket;
    if (subkey === undefined || !('isDecrypted' in primary)) throw new Error('a private key with a subkey');
    const revoked = await readKey({ armoredKey: both.armor() });
    const [bound] = revoked.getSubkeys();
    const made = await subkey.revoke(both.keyPacket as Parameters<typeof subkey.revoke>[0], { flag: enums.reasonForRevocation.keyRetired });
    bound?.revocationSignatures.push(...made.revocationSignatures);

    expect(await examined(signature, revoked.toPublic())).toMatchObject({ code: 'revoked-key' });
  });

  test('with a revocation that cannot be checked vouches for nothing', async () => {
    const { publicKey } = await revokeKey({ key: eve, format: 'object' });
    const [revocation] = publicKey.revocationSignatures;
    const certificate = await readKey({ armoredKey: ada.toPublic().armor() });
    if (revocation !== undefined) certificate.revocationSignatures.push(revocation);

    expect(await examined(await signed(ada), certificate)).toMatchObject({ code: 'malformed-key' });
  });

  test('with a revocation of an old version vouches for nothing, though the library skips it', async () => {
    const old = packet(2, Buffer.from([3, 5, 0x20, 0, 0, 0, 0, ...Array.from({ length: 20 }, () => 1)]));
    const bytes = Buffer.concat([ada.toPublic().write(), old]);

    expect(await examined(await signed(ada), armour('PUBLIC KEY BLOCK', bytes))).toMatchObject({ code: 'malformed-key' });
  });

  test.each([
    ['two certificates', async () => armour('PUBLIC KEY BLOCK', Buffer.concat([ada.toPublic().write(), eve.toPublic().write()]))],
    ['a secret key', async () => armour('PUBLIC KEY BLOCK', ada.write())],
    ['the armour of a secret key', async () => ada.armor()],
    ['text around it', async () => `my key:\n${ada.toPublic().armor()}`],
    ['a compressed packet', async () => armour('PUBLIC KEY BLOCK', packet(8, Buffer.alloc(100)))],
    [
      '10,000 packets',
      async () => armour('PUBLIC KEY BLOCK', Buffer.concat(Array.from({ length: 10_000 }, () => packet(13, Buffer.from('x'))))),
    ],
    [
      '1,000 subkeys',
      async () => {
        const subkeys = Array.from({ length: 1000 }, () => packet(14, Buffer.from([4, 0, 0, 0, 0, 22, 1, 2, 3])));
        return armour('PUBLIC KEY BLOCK', Buffer.concat([ada.toPublic().write(), ...subkeys]));
      },
    ],
    ['3 MiB', async () => 'x'.repeat(3 * 1024 * 1024)],
    ['noise', async () => armour('PUBLIC KEY BLOCK', packet(6, Buffer.alloc(1000, 4)))],
    ['nothing', async () => ''],
  ])('of %s is refused', async (_, made) => {
    expect(await examined(await signed(ada), await made())).toMatchObject({ code: 'malformed-key' });
  });
});

describe('a keyring', () => {
  test('gives each certificate alone, armoured or binary', async () => {
    const [one, two] = [ada.toPublic().write(), eve.toPublic().write()];
    const expected = [ada, eve].map((each) => [each.getFingerprint().toUpperCase(), each.getUserIDs()[0]]);

    for (const bytes of [
      Buffer.concat([one, two]),
      Buffer.from(armour('PUBLIC KEY BLOCK', Buffer.concat([one, two]))),
      Buffer.from(`${ada.toPublic().armor()}\n${eve.toPublic().armor()}`),
    ]) {
      const read = await port.keyring(bytes);
      expect(read.ok && read.value.map((entry) => [entry.fingerprint, entry.userId])).toEqual(expected);
      expect(
        read.ok &&
          (
            await port.examine({
              signature: await signed(eve),
              credential: read.value[1]?.credential ?? { kind: 'openpgp-key', armoured: '' },
              trustedRoot: undefined,
            })
          ).kind,
      ).toBe('holds');
    }
  });

  test('is refused whole when a part of it cannot be read', async () => {
    const good = ada.toPublic().write();

    expect(await port.keyring(Buffer.concat([good, Buffer.from([0xff, 0xff])]))).toMatchObject({ ok: false });
    expect(await port.keyring(Buffer.from('ssh-ed25519 AAAA'))).toMatchObject({ ok: false });
    expect(await port.keyring(Buffer.alloc(0))).toMatchObject({ ok: false });
    expect(await port.keyring(Buffer.concat(Array.from({ length: 600 }, () => good)))).toMatchObject({ ok: false });
    expect(await port.keyring(Buffer.alloc(9 * 1024 * 1024, 0xc6))).toMatchObject({ ok: false });
  });
});
