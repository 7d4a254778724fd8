import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock';

/** A JSON object that a test may bend before it is read. */
// oxlint-disable-next-line typescript/no-explicit-any -- bent JSON has no type
export type Loose = any;

export const ISSUER = 'https://issuer.acme.example';
export const ADA = 'https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main';
const LOG = 'https://log.acme.example';
const ISSUER_EXTENSION = '1.3.6.1.4.1.57264.1.8';
const SHA256_OID = '2.16.840.1.101.3.4.2.1';

export type EntryKind = 'hashedrekord/0.0.1' | 'dsse/0.0.1' | 'intoto/0.0.2' | 'hashedrekord/0.0.2' | 'dsse/0.0.2';

/** A certificate authority, two logs and a timestamp authority of our own, in this process, and what they make. */
export async function authorities(options: { readonly clock?: Date; readonly certificateLog?: boolean; readonly logUrl?: string } = {}) {
  // Roots of the mock begin now, and its times of ASN.1 are only right in whole seconds: everybody here lives in the next minute.
  const clock = options.clock ?? new Date((Math.floor(Date.now() / 1000) + 60) * 1000);
  const ctLog = await initializeCTLog(pair('P-256'), clock);
  const ca = await initializeCA(pair('P-384'), options.certificateLog === false ? undefined : ctLog, clock);
  const logKeys = pair('P-256');
  const log = await initializeTLog(options.logUrl ?? LOG, logKeys, clock);
  const tsaKeys = pair('P-384');
  const tsa = await initializeTSA(tsaKeys, clock);

  async function certificate(publicKey: KeyObject, identity = ADA, issuer = ISSUER): Promise<Buffer> {
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const der = await ca.issueCertificate({
      publicKey: spki as Buffer<ArrayBuffer>,
      subjectAltName: identity,
      extensions: [{ oid: ISSUER_EXTENSION, value: issuer }],
    });
    return Buffer.from(der.buffer, der.byteOffset, der.byteLength);
  }

  /** An entry as the log signs it; whatever its body says. */
  async function logged(body: { readonly kind: string; readonly apiVersion: string }): Promise<Loose> {
    const [entry] = Object.values((await log.log(body)) as Readonly<Record<string, Loose>>);
    if (entry?.verification?.inclusionProof === undefined) throw new Error('the log made no entry');
    const { inclusionProof: proof, signedEntryTimestamp = '' } = entry.verification;
    return {
      logIndex: String(entry.logIndex),
      logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
      kindVersion: { kind: body.kind, version: body.apiVersion },
      integratedTime: String(entry.integratedTime),
      inclusionPromise: { signedEntryTimestamp },
      inclusionProof: {
        logIndex: String(proof.logIndex),
        rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
        treeSize: String(proof.treeSize),
        hashes: [],
        checkpoint: { envelope: proof.checkpoint },
      },
      canonicalizedBody: String(entry.body),
    };
  }

  async function stamped(signature: Buffer, by = tsa): Promise<Loose> {
    const response = await by.timestamp({
      artifactHash: sha256(signature),
      hashAlgorithmOID: SHA256_OID,
      nonce: 1,
      policyOID: '1.3.6.1.4.1.57264.2',
    });
    return { signedTimestamp: Buffer.from(response.buffer, response.byteOffset, response.byteLength).toString('base64') };
  }

  const start = '2020-01-01T00:00:00Z';
  const spkiOf = (der: Uint8Array) => ({
    rawBytes: base64(der),
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    validFor: { start },
  });
  const certificates = (...chain: readonly ArrayBufferView[]) => ({
    certificates: chain.map((der) => ({ rawBytes: Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64') })),
  });
  const root: Loose = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      {
        baseUrl: options.logUrl ?? LOG,
        hashAlgorithm: 'SHA2_256',
        publicKey: spkiOf(log.publicKey),
        logId: { keyId: base64(sha256(log.publicKey)) },
      },
    ],
    ctlogs: [
      {
        baseUrl: 'https://ct.acme.example',
        hashAlgorithm: 'SHA2_256',
        publicKey: spkiOf(ctLog.publicKey),
        logId: { keyId: base64(sha256(ctLog.publicKey)) },
      },
    ],
    certificateAuthorities: [
      {
        subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
        uri: 'https://ca.acme.example',
        certChain: certificates(ca.rootCertificate),
        validFor: { start },
      },
    ],
    timestampAuthorities: [
      {
        subject: { organization: 'sigstore.mock', commonName: 'tsa' },
        uri: 'https://time.acme.example',
        certChain: certificates(tsa.intCertificate, tsa.rootCertificate),
        validFor: { start },
      },
    ],
  };

  return { clock, ca, ctLog, log, tsa, tsaKeys, root, certificate, logged, stamped };
}

export type Authorities = Awaited<ReturnType<typeof authorities>>;

export interface Signed {
  readonly bundle: Loose;
  readonly certificate: Buffer;
  readonly signature: Buffer;
}

export interface Wish {
  readonly identity?: string;
  readonly issuer?: string;
  readonly entry?: EntryKind;
  /** Whom the log entry names, instead of who signed. */
  readonly named?: Buffer;
  readonly timestamp?: boolean;
}

/** A keyless bundle of version 0.3 over plain bytes. */
export async function signedMessage(by: Authorities, bytes: Uint8Array, wish: Wish = {}): Promise<Signed> {
  const keys = pair('P-256');
  const signature = sign('sha256', bytes, keys.privateKey);
  const content = {
    messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: base64(sha256(bytes)) }, signature: base64(signature) },
  };
  return bundled(by, content, {
    ...wish,
    keys,
    signature,
    bytes,
    entry: wish.entry ?? 'hashedrekord/0.0.1',
    payload: bytes,
    envelope: undefined,
  });
}

/** A keyless bundle of version 0.3 with an envelope. */
export async function signedEnvelope(
  by: Authorities,
  payload: Uint8Array,
  wish: Wish & { readonly payloadType?: string } = {},
): Promise<Signed> {
  const keys = pair('P-256');
  const payloadType = wish.payloadType ?? 'application/vnd.in-toto+json';
  const bytes = preAuthentication(payloadType, payload);
  const signature = sign('sha256', bytes, keys.privateKey);
  const envelope = { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature) }] };
  return bundled(by, { dsseEnvelope: envelope }, { ...wish, keys, signature, bytes, payload, envelope, entry: wish.entry ?? 'dsse/0.0.1' });
}

interface Made extends Wish {
  readonly keys: { readonly publicKey: KeyObject };
  readonly signature: Buffer;
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly envelope: Loose;
  readonly entry: EntryKind;
}

async function bundled(by: Authorities, content: object, made: Made): Promise<Signed> {
  const certificate = await by.certificate(made.keys.publicKey, made.identity, made.issuer);
  const tlogEntry = await by.logged(entryBody(made, made.named ?? certificate));
  const second = made.entry.endsWith('/0.0.2') && !made.entry.startsWith('intoto');
  if (second) {
    delete tlogEntry.inclusionPromise;
    delete tlogEntry.integratedTime;
  }
  const timestamps = second || made.timestamp === true ? [await by.stamped(made.signature)] : [];
  return {
    certificate,
    signature: made.signature,
    bundle: {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: base64(certificate) },
        tlogEntries: [tlogEntry],
        timestampVerificationData: { rfc3161Timestamps: timestamps },
      },
      ...content,
    },
  };
}

/** What each kind of entry says of a signature, as logs store it. */
function entryBody(
  { entry, signature, bytes, payload, envelope }: Made,
  named: Buffer,
): { readonly kind: string; readonly apiVersion: string } {
  const [kind = '', apiVersion = ''] = entry.split('/');
  const pem = base64(Buffer.from(pemOf(named)));
  const verifier = { x509Certificate: { rawBytes: base64(named) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' };
  const specs: Record<EntryKind, object> = {
    'hashedrekord/0.0.1': {
      signature: { content: base64(signature), publicKey: { content: pem } },
      data: { hash: { algorithm: 'sha256', value: sha256(bytes).toString('hex') } },
    },
    'dsse/0.0.1': {
      envelopeHash: { algorithm: 'sha256', value: sha256(Buffer.from(JSON.stringify(envelope ?? {}))).toString('hex') },
      payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
      signatures: [{ signature: base64(signature), verifier: pem }],
    },
    'intoto/0.0.2': {
      content: {
        envelope: {
          payloadType: envelope?.payloadType,
          signatures: [{ sig: base64(Buffer.from(base64(signature))), publicKey: pem }],
        },
        payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
      },
    },
    'hashedrekord/0.0.2': {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: base64(sha256(bytes)) },
        signature: { content: base64(signature), verifier },
      },
    },
    'dsse/0.0.2': {
      dsseV002: {
        payloadHash: { algorithm: 'SHA2_256', digest: base64(sha256(payload)) },
        signatures: [{ content: base64(signature), verifier }],
      },
    },
  };
  const body = { apiVersion, kind, spec: specs[entry] };
  return body;
}

/** An in-toto statement about bytes. */
export function statementAbout(bytes: Uint8Array, more: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'artifact', digest: { sha256: sha256(bytes).toString('hex') } }],
      predicateType: 'https://acme.example/tested/v1',
      predicate: { passed: true },
      ...more,
    }),
  );
}

export function preAuthentication(payloadType: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload]);
}

export function pair(namedCurve: 'P-256' | 'P-384' | 'P-521') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return { publicKey, privateKey: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

export function pemOf(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

export function jsonBytes(value: Loose): Buffer {
  return Buffer.from(JSON.stringify(value));
}
