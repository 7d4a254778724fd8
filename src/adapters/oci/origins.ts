import { isIP } from 'node:net';
import { connect } from 'node:tls';

import { PortError } from '#ports/port-error.ts';

/** `https://host`, or `http://host` where that is allowed and the registry speaks nothing better. */
export type Origins = (host: string) => Promise<URL>;

const NOT_TLS: ReadonlySet<string> = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ECONNRESET', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/** Plain HTTP is allowed for this machine itself, and for others only with a permission that somebody gave. */
export function registryOrigins(allowHttp: 'everywhere' | ReadonlySet<string>, connectWithin: number): Origins {
  const known = new Map<string, Promise<URL>>();
  return (host) => {
    const secure = new URL(`https://${host === 'docker.io' ? 'registry-1.docker.io' : host}`);
    const isAllowed = allowHttp === 'everywhere' || allowHttp.has(host) || isLoopback(secure.hostname);
    if (!isAllowed) return Promise.resolve(secure);
    const found = known.get(host) ?? chosenOrigin(secure, host, connectWithin);
    known.set(host, found);
    // Whoever was not there may come back.
    found.catch(() => known.delete(host));
    return found;
  };
}

export function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** This machine, its nearest network, and where clouds keep their credentials: places that only we can reach. */
export function isInner(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return isLoopback(hostname) || bare.startsWith('169.254.') || bare.startsWith('fe80:') || bare.startsWith('::') || bare === '0.0.0.0';
}

/** TLS is tried first, so that a permission for plain HTTP never takes encryption from a registry that has it. */
async function chosenOrigin(secure: URL, host: string, within: number): Promise<URL> {
  const plain = new URL(secure);
  plain.protocol = 'http:';
  const outcome = await speaksTls(secure, within);
  if (outcome === 'tls') return secure;
  // Without a port it may listen on 80 where it does not on 443.
  if (outcome === 'plain' || (outcome === 'refused' && secure.port === '')) return plain;
  throw new PortError(
    'transient',
    `the registry ${host} ${outcome === 'refused' ? 'refused the connection' : 'did not take the connection in time'}`,
  );
}

function speaksTls(secure: URL, within: number): Promise<'tls' | 'plain' | 'refused' | 'silent'> {
  const port = Number(secure.port || '443');
  const hostname = secure.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    // Only the protocol is asked for: the certificate is judged where something is sent.
    const socket = connect({ host: hostname, port, rejectUnauthorized: false, ...(isIP(hostname) === 0 ? { servername: hostname } : {}) });
    const end = (outcome: 'tls' | 'plain' | 'refused' | 'silent'): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(within, () => end('silent'));
    socket.once('secureConnect', () => end('tls'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? '';
      end(NOT_TLS.has(code) || code.startsWith('ERR_SSL') ? 'plain' : 'refused');
    });
  });
}
