import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { fulcioHandler, rekorHandler, tsaHandler } from '@sigstore/mock';

import { authorities, sha256 } from '#test/sigstore-authorities.ts';
import type { Authorities, Loose } from '#test/sigstore-authorities.ts';

/** A signing configuration of cosign without any service. */
export const NO_SERVICES = {
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  caUrls: [],
  oidcUrls: [],
  rekorTlogUrls: [],
  tsaUrls: [],
  rekorTlogConfig: { selector: 'ANY' },
  tsaConfig: { selector: 'ANY' },
};

export interface SigstoreServices {
  readonly url: string;
  readonly acme: Authorities;
  /** What `cosign --signing-config` takes to use them. */
  readonly signingConfig: object;
  close(): Promise<void>;
}

/** Certificate authority, certificate log, signature log and timestamp authority of our own, on loopback. */
export async function sigstoreServices(): Promise<SigstoreServices> {
  const handlers = new Map<
    string,
    (body: string) => Promise<{ statusCode: number; response: string | ArrayBufferView; contentType?: string }>
  >();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const handler = handlers.get(request.url ?? '');
      const body = logged(withToken(Buffer.concat(parts).toString(), request.headers.authorization));
      void (handler?.(body) ?? Promise.resolve({ statusCode: 404, response: '' })).then((answer) => {
        // cosign wants a certificate with 200, as the public authority answers; an entry of the log with its address.
        const status = request.headers.authorization === undefined ? answer.statusCode : 200;
        response.writeHead(status, {
          location: `${request.url ?? ''}/0`,
          etag: nameIn(answer.response),
          'content-type': 'contentType' in answer ? (answer.contentType ?? 'text/plain') : 'text/plain',
        });
        const { response: said } = answer;
        response.end(typeof said === 'string' ? said : Buffer.from(said.buffer, said.byteOffset, said.byteLength));
      });
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const acme = await authorities({ logUrl: url });
  for (const { path, fn } of [fulcioHandler(acme.ca), rekorHandler(acme.log), tsaHandler(acme.tsa)]) handlers.set(path, fn);
  const service = { url, majorApiVersion: 1, validFor: { start: '2020-01-01T00:00:00Z' }, operator: 'acme.example' };
  return {
    url,
    acme,
    signingConfig: { ...NO_SERVICES, caUrls: [service], rekorTlogUrls: [service] },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

/** cosign finds its entry among those of an answer by the ETag. */
function nameIn(response: unknown): string {
  return typeof response === 'string' && response.startsWith('{') ? (Object.keys(JSON.parse(response) as object)[0] ?? '') : '';
}

/** cosign sends the identity token as a header, which the authority of the mock does not read. */
function withToken(body: string, authorization: string | undefined): string {
  if (authorization === undefined) return body;
  const credentials = { oidcIdentityToken: authorization.replace(/^Bearer /, '') };
  return JSON.stringify({ credentials, ...(JSON.parse(body) as object) });
}

/** What an identity provider would say: the authority here takes anybody's word. */
export function identityToken(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
}

/** A log keeps of an envelope its digests and its signatures; the mock would keep what was proposed. */
function logged(body: string): string {
  const entry: Loose = body.startsWith('{') ? JSON.parse(body) : {};
  const proposed = entry.kind === 'dsse' ? entry.spec?.proposedContent : undefined;
  if (proposed === undefined) return body;
  const envelope: Loose = JSON.parse(proposed.envelope);
  const digest = (bytes: Uint8Array): object => ({ algorithm: 'sha256', value: sha256(bytes).toString('hex') });
  const signatures = envelope.signatures.map((signature: Loose) => ({ signature: signature.sig, verifier: proposed.verifiers[0] }));
  const spec = {
    envelopeHash: digest(Buffer.from(proposed.envelope)),
    payloadHash: digest(Buffer.from(envelope.payload, 'base64')),
    signatures,
  };
  return JSON.stringify({ apiVersion: entry.apiVersion, kind: entry.kind, spec });
}
