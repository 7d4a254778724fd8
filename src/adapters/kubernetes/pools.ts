import type { buildConnector, Pool } from 'undici';

import type { ServerAccess, TlsMaterial } from './server-access.ts';
import type { TransportLimits } from './transport-limits.ts';

/** Kept connections to one server. Watches have theirs: each holds one for as long as it lasts. */
export interface Pools {
  readonly requests: Pool;
  readonly watches: Pool;
  /** Ends what is not in use and waits for what is. */
  close(): Promise<void>;
}

/** Shorter than servers and balancers keep idle connections, so that a request seldom meets one that is being closed. */
const KEPT_IDLE_MS = 20_000;
/** Where packets are dropped silently this ends a connection, however long its watch may be silent. */
const PROBED_AFTER_MS = 30_000;

export async function openPools(access: ServerAccess, limits: TransportLimits): Promise<Pools> {
  const undici = await import('undici');
  const connect = connector(access, undici.buildConnector, limits);
  const options = { connect, keepAliveTimeout: KEPT_IDLE_MS, pipelining: 1, allowH2: false, maxResponseSize: -1 };
  const requests = new undici.Pool(access.url.origin, { ...options, connections: limits.concurrency.most });
  const watches = new undici.Pool(access.url.origin, options);
  return {
    requests,
    watches,
    async close() {
      await Promise.all([requests.close(), watches.destroy()]);
    },
  };
}

/** Each new connection looks at the files of certificates anew: renewed ones are used without a restart. */
function connector(access: ServerAccess, build: typeof buildConnector, limits: TransportLimits): buildConnector.connector {
  let known: { readonly material: TlsMaterial; readonly connect: buildConnector.connector } | undefined;
  async function ready(): Promise<buildConnector.connector> {
    const material = await access.tls();
    if (known === undefined || !isSame(known.material, material)) {
      const tls = Object.fromEntries(Object.entries(material).filter(([, text]) => text !== undefined));
      known = { material, connect: build({ ...tls, allowH2: false, timeout: limits.connect, keepAliveInitialDelay: PROBED_AFTER_MS }) };
    }
    return known.connect;
  }
  async function open(...[options, callback]: Parameters<buildConnector.connector>): Promise<void> {
    try {
      (await ready())(options, callback);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null);
    }
  }
  return (options, callback) => void open(options, callback);
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key && one.servername === other.servername;
}
