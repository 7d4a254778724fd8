import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';

import { visibleText } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';
import { codeOf, serverWords } from './failures.ts';
import type { ServerAccess } from './server-access.ts';
import { skewWords } from './server-clock.ts';

const UNTRUSTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);
const OUT_OF_TIME: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

export function isCertificateFailure(error: Error): boolean {
  const code = codeOf(error);
  return UNTRUSTED.has(code) || OUT_OF_TIME.has(code) || code === WRONG_NAME;
}

/** Why the server's certificate was not accepted, with the dates and names that it shows. */
export async function certificateFailure(error: Error, access: ServerAccess, timeout: number): Promise<PortError> {
  const shown = await lookAt(access, timeout);
  return new PortError('denied', `${serverWords(access)}: ${whyRefused(error, access, shown)}`, error);
}

function whyRefused(error: Error, { words, url }: ServerAccess, shown: Shown | undefined): string {
  const code = codeOf(error);
  const { certificate } = shown ?? {};
  if (OUT_OF_TIME.has(code)) return outOfTime(code, words.authority, shown);
  if (code === WRONG_NAME) {
    const names = visibleText(certificate?.subjectAltName ?? 'other names');
    return `the server's certificate is for ${names} and not for ${url.hostname}. Correct server, or set tls-server-name to a name of the certificate.`;
  }
  const issuer = certificate === undefined ? '' : ` (its issuer: ${nameOf(certificate.issuer)})`;
  return `the server's certificate${issuer} is signed by another CA than ${words.authority}. Was the CA rotated? Put the new one there, if it is the right server.`;
}

function outOfTime(code: string, authority: string, shown: Shown | undefined): string {
  const skew = skewWords(shown?.ahead);
  const fits = shown === undefined || isOutOfTime(shown.certificate, shown.at);
  const whose = fits ? "the server's certificate" : `a certificate of ${authority}`;
  const dates =
    shown === undefined || !fits ? '' : ` (valid from ${dateOf(shown.certificate.validFrom)} to ${dateOf(shown.certificate.validTo)})`;
  return code === 'CERT_HAS_EXPIRED'
    ? `${whose} has expired${dates}. Renew it.${skew}`
    : `${whose} is not valid yet${dates}.${skew || ' Wait, or set the clocks.'}`;
}

export function isOutOfTime(certificate: X509Certificate, at: number): boolean {
  return at < Date.parse(certificate.validFrom) || at > Date.parse(certificate.validTo);
}

export function dateOf(text: string): string {
  return new Date(text).toISOString();
}

function nameOf(distinguished: string): string {
  return visibleText(distinguished.replaceAll('\n', ', '));
}

interface Shown {
  readonly certificate: X509Certificate;
  readonly at: number;
  readonly ahead: number | undefined;
}

/** A look at a server that is not trusted: its certificate and clock, for words only. It gets no credentials, and nothing it says is used. */
function lookAt({ url, proxy }: ServerAccess, timeout: number): Promise<Shown | undefined> {
  if (proxy !== undefined) return Promise.resolve(undefined);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port: Number(url.port || 443), rejectUnauthorized: false, ...servername });
    let certificate: X509Certificate | undefined;
    let answered = '';
    socket.setTimeout(timeout, () => socket.destroy());
    socket.once('secureConnect', () => {
      certificate = socket.getPeerX509Certificate();
      socket.write(`HEAD /version HTTP/1.1\r\nhost: ${url.host}\r\nconnection: close\r\n\r\n`);
    });
    socket.on('data', (piece) => {
      answered += piece.toString('latin1');
      if (answered.length > 16_384 || answered.includes('\r\n\r\n')) socket.destroy();
    });
    socket.once('error', () => socket.destroy());
    socket.once('close', () => {
      const at = Date.now();
      const date = Date.parse(/^date: *(.*)$/im.exec(answered)?.[1] ?? '');
      resolve(certificate === undefined ? undefined : { certificate, at, ahead: Number.isNaN(date) ? undefined : at - date });
    });
  });
}
