import { Socket } from 'node:net';

import type * as UndiciModule from 'undici';
import type { buildConnector, Pool } from 'undici';

import { PortError } from '#ports/port-error.ts';
import type { ServerAccess, TlsMaterial } from './server-access.ts';
import type { TransportLimits } from './transport-limits.ts';

/** Kept connections to one server. Watches have theirs: each holds one for as long as it lasts. */
export interface Pools {
  readonly requests: Pool;
  readonly watches: Pool;
  destroy(): Promise<void>;
}

/** Shorter than servers and balancers keep idle connections, so that a request seldom meets one that is being closed. */
const KEPT_IDLE_MS = 20_000;
/** Where packets are dropped silently this ends a connection, however long its watch may be silent. */
const PROBED_AFTER_MS = 30_000;

export async function openPools(access: ServerAccess, limits: TransportLimits): Promise<Pools> {
  const undici = await import('undici');
  const open = (allowH2: boolean, connections: number | null): Pool => {
    const connect = connector(access, limits, { undici, allowH2 });
    return new undici.Pool(access.url.origin, { connect, connections, allowH2, keepAliveTimeout: KEPT_IDLE_MS, pipelining: 1 });
  };
  // A watch that is not read would hold back the others on its connection; requests are read at once (docs/decisions/0201).
  const requests = open(true, limits.concurrency.most);
  const watches = open(false, null);
  return {
    requests,
    watches,
    async destroy() {
      await Promise.all([requests.destroy(), watches.destroy()]);
    },
  };
}

/** Each new connection looks at the files of certificates anew: renewed ones are used without a restart. */
function connector(access: ServerAccess, limits: TransportLimits, { undici, allowH2 }: Protocol): buildConnector.connector {
  let known: { readonly material: TlsMaterial; readonly connect: buildConnector.connector } | undefined;
  async function ready(): Promise<buildConnector.connector> {
    const material = await access.tls();
    if (known === undefined || !isSame(known.material, material)) {
      const tls = Object.fromEntries(Object.entries(material).filter(([, text]) => text !== undefined));
      known = {
        material,
        connect: undici.buildConnector({
          ...tls,
          allowH2,
          preferH2: allowH2,
          timeout: limits.connect,
          keepAliveInitialDelay: PROBED_AFTER_MS,
        }),
      };
    }
    return known.connect;
  }
  async function open(...[options, callback]: Parameters<buildConnector.connector>): Promise<void> {
    try {
      const connect = await ready();
      if (access.proxy === undefined) return connect(options, callback);
      const httpSocket = await tunnel(access.proxy, access.url, { undici, limits });
      if (access.url.protocol === 'http:') callback(null, httpSocket);
      else connect({ ...options, httpSocket }, callback);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null);
    }
  }
  return (options, callback) => void open(options, callback);
}

interface Protocol {
  readonly undici: Undici;
  readonly allowH2: boolean;
}

type Undici = Pick<typeof UndiciModule, 'buildConnector' | 'Client'>;

async function tunnel(
  proxy: URL,
  server: URL,
  { undici, limits }: { readonly undici: Undici; readonly limits: TransportLimits },
): Promise<Socket> {
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const headers = login === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
  const client = new undici.Client(proxy.origin, { allowH2: false, connect: { timeout: limits.connect }, headersTimeout: limits.connect });
  try {
    const path = `${server.hostname}:${server.port || '443'}`;
    const { socket, statusCode } = await client.connect({ path, headers });
    if (statusCode === 200 && socket instanceof Socket) return socket;
    socket.destroy();
    throw new Error(`it answered ${statusCode}`);
  } catch (error) {
    await client.destroy();
    // A new error on purpose: undici connects again without end where a connector fails with the code of a cut socket.
    throw new PortError(
      'transient',
      `the proxy ${proxy.origin} makes no tunnel to ${server.origin}: ${error instanceof Error ? error.message : 'no reason given'}`,
      error,
    );
  }
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key && one.servername === other.servername;
}
