import type * as openpgpModule from 'openpgp';
import type { Config, Key, SignaturePacket, Subkey } from 'openpgp';

import type { CommitFinding, CommitSignatureCode } from '#model/commit-finding.ts';
import type { Parsed } from '#model/git-objects.ts';
import { type Instant, toInstant } from '#model/instant.ts';
import type { EmbeddedSignature } from '#model/signed-object.ts';
import { readArmour } from './armour.ts';
import { splitPackets, TAG } from './openpgp-packets.ts';

type Openpgp = typeof openpgpModule;

const SMALLEST_RSA = 2048;
const LARGEST_RSA = 16_384;

/** The one signature packet of an armoured block; text signatures, and anything beside it, are refused. */
export async function readSignaturePacket(armoured: string): Promise<Parsed<SignaturePacket>> {
  const blocks = readArmour(armoured, ['PGP SIGNATURE'], 1);
  if (!blocks.ok) return blocks;
  const bytes = blocks.value[0]?.bytes ?? Buffer.alloc(0);
  const packets = splitPackets(bytes, 1);
  if (!packets.ok) return { ok: false, reason: 'it is not one OpenPGP packet and nothing else' };
  const [packet] = packets.value;
  if (packet?.tag !== TAG.signature) return { ok: false, reason: 'it is not an OpenPGP signature packet' };
  const openpgp = await import('openpgp');
  try {
    const { packets: read } = await openpgp.readSignature({ binarySignature: bytes, config: { ignoreUnsupportedPackets: false } });
    const [signature] = read;
    return signature === undefined ? { ok: false, reason: 'it is not an OpenPGP signature packet' } : { ok: true, value: signature };
  } catch {
    return { ok: false, reason: 'it cannot be read as an OpenPGP signature' };
  }
}

/** Compares a signature with one certificate. The key id only finds the key to try; what counts is the whole fingerprint of what held. */
export async function examineOpenpgp({ payload }: EmbeddedSignature, signature: SignaturePacket, certificate: Key): Promise<CommitFinding> {
  const openpgp = await import('openpgp');
  const { enums } = openpgp;
  if (signature.signatureType !== enums.signature.binary)
    return refusal('unsupported-signature', 'it is an OpenPGP signature over something else than exact bytes');
  const named = signature.issuerFingerprint === null ? undefined : Buffer.from(signature.issuerFingerprint).toString('hex');
  const key = certificate
    .getKeys(signature.issuerKeyID)
    .find((one) => named === undefined || one.getFingerprint().toLowerCase() === named.toLowerCase());
  if (key === undefined) return { kind: 'other-key', key: (named ?? signature.issuerKeyID.toHex()).toUpperCase() };
  const weakness = weaknessOf(openpgp, key) ?? weaknessOf(openpgp, certificate);
  if (weakness !== undefined) return weakness;
  if (!acceptedHashes(openpgp).has(signature.hashAlgorithm ?? enums.hash.md5))
    return refusal('weak-hash', 'the OpenPGP signature uses a hash that is not accepted');
  const data = { text: null, getBytes: () => payload };
  if (!(await isGood(signature, { key: key.keyPacket, type: enums.signature.binary, data, config: strictConfig(openpgp) })))
    return refusal('bad-signature', 'the signature does not fit its bytes');
  return (await revocationOf(openpgp, certificate, key)) ?? (await factOf(openpgp, { certificate, key, signature }));
}

interface Checked {
  readonly key: Parameters<SignaturePacket['verify']>[0];
  readonly type: Parameters<SignaturePacket['verify']>[1];
  readonly data: object;
  readonly config: Config;
}

/** Judged at the time it claims itself, so that only the mathematics and its form decide; times are for whoever judges. */
async function isGood(signature: SignaturePacket, { key, type, data, config }: Checked): Promise<boolean> {
  try {
    await signature.verify(key, type, data, signature.created ?? undefined, true, config);
    return signature.signatureType === type;
  } catch {
    // Whatever the library dislikes about it, it vouches for nothing.
    return false;
  }
}

function acceptedHashes({ enums }: Openpgp): ReadonlySet<number> {
  return new Set([enums.hash.sha256, enums.hash.sha384, enums.hash.sha512, enums.hash.sha3_256, enums.hash.sha3_512]);
}

/** What binds user ids and subkeys to the key must be as strong as what signs commits. */
function strictConfig({ config, enums }: Openpgp): Config {
  const weak = new Set([enums.hash.md5, enums.hash.sha1, enums.hash.ripemd, enums.hash.sha224]);
  return {
    ...config,
    minRSABits: SMALLEST_RSA,
    rejectHashAlgorithms: weak,
    rejectMessageHashAlgorithms: weak,
    allowMissingKeyFlags: false,
    allowInsecureVerificationWithReformattedKeys: false,
  };
}

function weaknessOf({ enums }: Openpgp, key: Key | Subkey): CommitFinding | undefined {
  const { algorithm, bits } = key.getAlgorithmInfo();
  const { rsaEncryptSign, rsaSign, ecdsa, eddsaLegacy, ed25519, ed448, rsaEncrypt, ecdh, x25519, x448, elgamal } = enums.publicKey;
  const id = enums.publicKey[algorithm];
  if ([rsaEncrypt, ecdh, x25519, x448, elgamal].includes(id)) return refusal('not-a-signing-key', 'its key is for encryption');
  if ([ecdsa, eddsaLegacy, ed25519, ed448].includes(id)) return undefined;
  if (id !== rsaEncryptSign && id !== rsaSign) return refusal('unsupported-key', `OpenPGP keys of type ${algorithm} are not accepted`);
  if (bits === undefined || bits < SMALLEST_RSA)
    return refusal('weak-key', `an RSA key of ${bits ?? 0} bits is too weak; ${SMALLEST_RSA} are needed`);
  return bits > LARGEST_RSA ? refusal('unsupported-key', `an RSA key of ${bits} bits is not accepted`) : undefined;
}

/** Any revocation counts, whatever its reason, its date or its hash; one that cannot be checked makes the certificate unusable. */
async function revocationOf(openpgp: Openpgp, certificate: Key, key: Key | Subkey): Promise<CommitFinding | undefined> {
  const { enums } = openpgp;
  const primary = certificate.keyPacket;
  const config = { ...openpgp.config, rejectHashAlgorithms: new Set<never>(), rejectMessageHashAlgorithms: new Set<never>() };
  const own = certificate.revocationSignatures.map((signature) => ({
    signature,
    type: enums.signature.keyRevocation,
    data: { key: primary },
  }));
  const subkeys =
    'mainKey' in key
      ? key.revocationSignatures.map((signature) => ({
          signature,
          type: enums.signature.subkeyRevocation,
          data: { key: primary, bind: key.keyPacket },
        }))
      : [];
  for (const { signature, type, data } of [...own, ...subkeys]) {
    return (await isGood(signature, { key: primary, type, data, config }))
      ? refusal('revoked-key', `the OpenPGP key ${certificate.getFingerprint().toUpperCase()} was revoked`)
      : refusal('malformed-key', 'its certificate carries a revocation that cannot be checked');
  }
  return undefined;
}

interface Held {
  readonly certificate: Key;
  readonly key: Key | Subkey;
  readonly signature: SignaturePacket;
}

async function factOf(openpgp: Openpgp, { certificate, key, signature }: Held): Promise<CommitFinding> {
  const config = strictConfig(openpgp);
  const usable = await signingKey(certificate, key, config);
  if (usable !== key) {
    return bindings(certificate, key).some((one) => !acceptedHashes(openpgp).has(one.hashAlgorithm ?? openpgp.enums.hash.md5))
      ? refusal('weak-hash', 'what binds the OpenPGP key uses a hash that is not accepted')
      : refusal('not-a-signing-key', 'its OpenPGP certificate does not say that this key may sign');
  }
  const ends = [await certificate.getExpirationTime(undefined, config), signature.getExpirationTime()];
  if ('mainKey' in key) ends.push(await subkeyEnd(openpgp, key, config));
  if (ends.includes(null)) return refusal('malformed-key', 'its certificate does not say how long it is valid');
  const end = Math.min(...ends.map((one) => (one instanceof Date ? one.getTime() : (one ?? 0))));
  const fact = {
    fingerprint: certificate.getFingerprint().toUpperCase(),
    signedBy: key.getFingerprint().toUpperCase(),
    identities: [],
    issuer: undefined,
    goodFrom: later(certificate.getCreationTime(), key.getCreationTime()),
    goodBefore: Number.isFinite(end) ? toInstant(end) : undefined,
    provenAt: undefined,
  };
  return { kind: 'holds', fact };
}

/** What its owner signed to say what a key is for. */
function bindings(certificate: Key, key: Key | Subkey): readonly SignaturePacket[] {
  return [...certificate.users.flatMap((user) => user.selfCertifications), ...('mainKey' in key ? key.bindingSignatures : [])];
}

/** Self-signatures, binding in both directions and key flags, as the library sees them without looking at times. */
async function signingKey(certificate: Key, key: Key | Subkey, config: Config): Promise<Key | Subkey | undefined> {
  try {
    return await certificate.getSigningKey(key.getKeyID(), null, undefined, config);
  } catch {
    return undefined;
  }
}

/** By the newest binding that holds; null where none does. */
async function subkeyEnd(
  { enums }: Openpgp,
  { bindingSignatures, keyPacket, mainKey }: Subkey,
  config: Config,
): Promise<Date | number | null> {
  const primary = mainKey.keyPacket;
  const newest = bindingSignatures.toSorted((a, b) => (b.created?.getTime() ?? 0) - (a.created?.getTime() ?? 0));
  for (const signature of newest) {
    const data = { key: primary, bind: keyPacket };
    if (!(await isGood(signature, { key: primary, type: enums.signature.subkeyBinding, data, config }))) continue;
    const own = signature.getExpirationTime();
    const { keyExpirationTime } = signature;
    const keyEnd =
      signature.keyNeverExpires === false && keyExpirationTime !== null
        ? keyPacket.created.getTime() + keyExpirationTime * 1000
        : Number.POSITIVE_INFINITY;
    return Math.min(keyEnd, own instanceof Date ? own.getTime() : Number.POSITIVE_INFINITY);
  }
  return null;
}

function later(a: Date, b: Date): Instant {
  return toInstant(Math.max(a.getTime(), b.getTime()));
}

function refusal(code: CommitSignatureCode, reason: string): CommitFinding {
  return { kind: 'refused', code, reason };
}
