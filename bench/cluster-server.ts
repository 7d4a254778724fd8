import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';

import { Agent, request } from 'undici';

import { programPath } from '#test/servers/built-programs.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import type { Effort } from './child-process.ts';
import { type ClusterContent, type ConfigMap, configMaps } from './cluster-content.ts';

/** Requests to the measured API server that belong to no client. */
export interface ClusterServer {
  /** Throws unless exactly these ConfigMaps, and inventories, are there. */
  verify(namespace: string, content: ClusterContent): Promise<void>;
  /** Deletes all ConfigMaps of a namespace by one request. */
  clear(namespace: string): Promise<void>;
  createNamespace(name: string): Promise<void>;
  /** Everything a client does beside is written as another manager, like an edit by hand. */
  edit(namespace: string, name: string, data: Readonly<Record<string, string>>): Promise<void>;
  /** Tells of each ConfigMap of the namespace that is written from now on; the answer ends it. */
  watch(namespace: string, written: (object: ConfigMap) => void): Promise<() => void>;
  close(): Promise<void>;
}

export function clusterServer(kubernetes: RunningKubernetes): ClusterServer {
  const dispatcher = new Agent({ connect: { ca: kubernetes.certificateAuthority }, headersTimeout: 300_000, bodyTimeout: 300_000 });
  async function ask(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    type = 'application/json',
  ): Promise<unknown> {
    const headers = { authorization: `Bearer ${kubernetes.token}`, 'content-type': type };
    const sent = { method, headers, dispatcher, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await request(`${kubernetes.url}${path}`, sent);
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${await answer.body.text()}`);
    return answer.body.json();
  }
  const all = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
  return {
    async verify(namespace, content) {
      const { items } = (await ask('GET', all(namespace))) as { readonly items: readonly ConfigMap[] };
      const found = new Map(items.map((item) => [item.metadata.name, item.data]));
      for (const { metadata, data } of configMaps(content, namespace)) {
        if (!isDeepStrictEqual(found.get(metadata.name), data))
          throw new Error(`${namespace}/${metadata.name} is ${JSON.stringify(found.get(metadata.name))}, not ${JSON.stringify(data)}`);
        found.delete(metadata.name);
      }
      const strange = [...found.keys()].filter((name) => !/^capstan-[a-z-]+-\d+$/.test(name));
      if (strange.length > 0) throw new Error(`${namespace} holds ${strange.length} objects too many, ${strange[0] ?? ''} first`);
    },
    async clear(namespace) {
      await ask('DELETE', all(namespace));
    },
    async createNamespace(name) {
      await ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    },
    async edit(namespace, name, data) {
      await ask('PATCH', `${all(namespace)}/${name}?fieldManager=somebody`, { data }, 'application/merge-patch+json');
    },
    async watch(namespace, written) {
      const ending = new AbortController();
      const list = Object(await ask('GET', `${all(namespace)}?limit=1`));
      const path = `${all(namespace)}?watch=1&resourceVersion=${list.metadata.resourceVersion}`;
      const headers = { authorization: `Bearer ${kubernetes.token}` };
      const { body } = await request(`${kubernetes.url}${path}`, { headers, dispatcher, bodyTimeout: 0, signal: ending.signal });
      const lines = createInterface({ input: body }).on('line', (line) => written(JSON.parse(line).object));
      // The end of the watch is an error of its body.
      lines.on('error', () => {});
      return () => ending.abort();
    },
    close: () => dispatcher.close(),
  };
}

/** One whole process, as a person would start it: what it took, and how much of the processors. Rejects with what it said when it fails. */
export async function wholeProcess(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env: Readonly<Record<string, string>> },
): Promise<Effort> {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null';
  const began = performance.now();
  const child = spawn('bash', ['-c', script, 'bash', program, ...args], { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  const milliseconds = performance.now() - began;
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}: ${said}`);
  const [user = 0, system = 0] = (said.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { milliseconds, processor: (user + system) * 1000 };
}

/** `kubectl apply --server-side` of one file with all objects. */
export async function applyByKubectl(
  kubernetes: RunningKubernetes,
  options: { readonly user: string; readonly folder: string; readonly objects: readonly ConfigMap[] },
): Promise<Effort> {
  const file = join(options.folder, 'manifest.yaml');
  // JSON is YAML; as documents of a stream kubectl takes them in as it takes in what people write.
  await writeFile(file, options.objects.map((object) => `${JSON.stringify(object)}\n---\n`).join(''));
  const { kubeconfig } = kubernetes.user(options.user);
  const args = ['--kubeconfig', kubeconfig, 'apply', '--server-side', '--force-conflicts', '-f', file];
  return wholeProcess(programPath('kubectl'), args, { env: { HOME: options.folder } });
}
