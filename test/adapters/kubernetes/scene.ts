import type { ApiRequest } from '#adapters/kubernetes/api.ts';
import type { Connection } from '#adapters/kubernetes/connection.ts';
import type { TransportLimits } from '#adapters/kubernetes/transport-limits.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Answer, FaultyOptions, FaultyServer } from './faulty-server.ts';
import { faultyServer } from './faulty-server.ts';

/** Ended after each test, the last first. */
export const opened: { readonly close: () => Promise<void> }[] = [];
/** For `afterEach` of each file that opens scenes. */
export async function endScenes(): Promise<void> {
  for (const { close } of opened.splice(0).toReversed()) await close();
}

interface Scene {
  readonly server: FaultyServer;
  readonly connection: Connection;
  readonly api: Connection['api'];
}

export async function scene(answer: Answer, limits: Partial<TransportLimits> = {}, options: FaultyOptions = {}): Promise<Scene> {
  const server = await faultyServer(answer, options);
  opened.push({ close: () => server.stop() });
  const connection = await server.connect(limits);
  opened.push({ close: () => connection.close() });
  return { server, connection, api: connection.api };
}

export const GET: ApiRequest = { method: 'GET', path: '/api/v1/namespaces/a/configmaps/b?x=y' };
export const APPLY: ApiRequest = { ...GET, method: 'PATCH', contentType: 'application/apply-patch+yaml', body: '{"a":1}' };
export const CREATE: ApiRequest = { method: 'POST', path: '/api/v1/namespaces', body: '{}' };

/** Kind and words of the failure, addresses and folders left out. */
export async function failure(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return 'no failure';
  } catch (error) {
    if (!isPortError(error)) return String(error);
    return `${error.kind} ${error.message.replaceAll(/\/\S*\/(?=config|token|ca\.crt)/g, '').replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')}`;
  }
}

export const NAMED = 'cluster "eu" of config (http://HOST)';
