import { quoted } from '#model/quoted.ts';
import type { ChosenContext } from './kubeconfig.ts';
import { entryText } from './kubeconfig.ts';

/** The address of the chosen cluster. Credentials go over plain HTTP only within this machine. */
export function serverUrl({ cluster, refuse }: ChosenContext, hasCredentials: boolean): URL {
  const pointer = `${cluster.pointer}/server`;
  const text = entryText(cluster, 'server', refuse);
  if (text === undefined)
    throw refuse(cluster.pointer, `cluster ${quoted(cluster.name)} has no server`, 'Add its address: https://host:6443.');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw refuse(pointer, `server ${quoted(text)} is no address of an API server`, 'Write https://host:6443.');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw refuse(pointer, `server of cluster ${quoted(cluster.name)} holds more than an address`, 'Leave only https://host:port/path.');
  }
  if (url.protocol === 'http:' && hasCredentials && !isLoopback(url.hostname)) {
    throw refuse(
      pointer,
      `server ${quoted(text)} would get the credentials of cluster ${quoted(cluster.name)} over plain HTTP`,
      'Use its https:// address.',
      'denied',
    );
  }
  return url;
}

/** A proxy that tunnels; its own login may stand in its address. */
export function proxyUrl({ cluster, refuse }: ChosenContext): URL | undefined {
  const text = entryText(cluster, 'proxy-url', refuse);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  // Without the text: a login may stand in it.
  throw refuse(
    `${cluster.pointer}/proxy-url`,
    `proxy-url of cluster ${quoted(cluster.name)} is no http:// or https:// address`,
    'Use a proxy that tunnels with HTTP CONNECT.',
    'unsupported',
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(hostname);
}
