import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** One request as the API server wrote it down. A watch counts when it begins, everything else when it has been answered. */
export interface AuditedRequest {
  readonly user: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; of requests for no resource the HTTP method in small letters. */
  readonly verb: string;
  /** `configmaps`, `deployments.apps`, `pods/status`; of requests for no resource its path: `/apis`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly uri: string;
}

export interface AuditLog {
  /** All requests so far, oldest first; with a user only that one's. */
  readonly requests: (user?: string) => Promise<readonly AuditedRequest[]>;
  /** How often each `<verb> <resource>` was asked by a user since this log began or `forget` was called. */
  readonly counts: (user: string) => Promise<Readonly<Record<string, number>>>;
  /** Later answers leave out what has happened until now. */
  readonly forget: () => Promise<void>;
}

/** Users whose requests are no business of a test: they are not written down. */
export const UNAUDITED_USERS = ['system:apiserver', 'system:kube-controller-manager', 'system:kube-scheduler', 'kwok'] as const;

export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  omitManagedFields: true,
  rules: [
    { level: 'None', users: UNAUDITED_USERS },
    { level: 'None', nonResourceURLs: ['/readyz', '/livez', '/healthz'] },
    { level: 'Metadata' },
  ],
};

/** The flags that make an API server write the log which `readAuditLog` reads; `file` holds the policy. */
export function auditFlags(scratch: string, policy: string): readonly string[] {
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${auditFile(scratch)}`, '--audit-log-maxsize=4000'];
}

/**
 * Reads the log that grows in `scratch`. `mark` sends a request with a query of its own (`/version?mark=7`): when that is in the log, what was
 * answered before it is there, too. Marks are not among the requests.
 */
export function readAuditLog(scratch: string, mark: (path: string) => Promise<unknown>): AuditLog {
  const seen: AuditedRequest[] = [];
  let [offset, marks, rest] = [0, 0, ''];
  const read = async (): Promise<void> => {
    const file = await open(auditFile(scratch), 'r');
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(size - offset);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
      offset += bytesRead;
      // Cut at bytes, not letters: only whole lines are decoded.
      const text = rest + bytes.subarray(0, bytesRead).toString('latin1');
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      for (const line of text.slice(0, end).split('\n')) {
        const request = line === '' ? undefined : requestOf(JSON.parse(Buffer.from(line, 'latin1').toString('utf8')));
        if (request !== undefined) seen.push(request);
      }
    } finally {
      await file.close();
    }
  };
  const caughtUp = async (): Promise<void> => {
    const path = `/version?mark=${(marks += 1)}`;
    await mark(path);
    while (!seen.some(({ uri }) => uri === path)) await read();
  };
  const requests = async (user?: string): Promise<readonly AuditedRequest[]> => {
    // Twice: an answer goes out a moment before its line is written.
    await caughtUp();
    await caughtUp();
    return seen.filter((request) => !request.uri.startsWith('/version?mark=') && (user === undefined || request.user === user));
  };
  const counts = async (user: string): Promise<Readonly<Record<string, number>>> => countsOf(await requests(user));
  const forget = async (): Promise<void> => {
    await requests();
    seen.length = 0;
  };
  return { requests, counts, forget };
}

/** How often each `<verb> <resource>` occurs, names in order. */
export function countsOf(requests: readonly AuditedRequest[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { verb, resource } of requests) counts.set(`${verb} ${resource}`, (counts.get(`${verb} ${resource}`) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function auditFile(scratch: string): string {
  return join(scratch, 'audit.log');
}

/** https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly impersonatedUser?: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

function requestOf(event: AuditEvent): AuditedRequest | undefined {
  if ((event.stage === 'ResponseStarted') !== (event.verb === 'watch')) return undefined;
  const { resource, subresource, apiGroup, namespace = '', name = '' } = event.objectRef ?? {};
  const kind = apiGroup === undefined ? resource : `${resource}.${apiGroup}`;
  return {
    user: event.user.username,
    verb: event.verb,
    resource: kind === undefined ? (event.requestURI.split('?')[0] ?? '') : subresource === undefined ? kind : `${kind}/${subresource}`,
    namespace,
    name,
    code: event.responseStatus?.code ?? 0,
    uri: event.requestURI,
  };
}
