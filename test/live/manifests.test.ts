import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { fieldChanges } from '#model/field-change.ts';
import { jsonText, valueAt, type Json, type JsonObject } from '#model/json.ts';
import { renderUnit } from '#render/render.ts';
import { foreignManifests } from '#test/foreign-manifests.ts';
import { unit } from '#test/render/builders.ts';
import { startKubernetes, type RunningKubernetes } from '#test/servers/kubernetes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-manifests-'));
const files = [...(foreignManifests() ?? [])].flatMap(([path, bytes]): [string, string][] =>
  /\.ya?ml$/.test(path) ? [[path, Buffer.from(bytes).toString('utf8')]] : [],
);
let running: RunningKubernetes | undefined;

beforeAll(async () => {
  running = await startKubernetes(scratch);
});
afterAll(async () => {
  await running?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function kubernetes(): RunningKubernetes {
  if (running === undefined) throw new Error('the API server did not start');
  return running;
}

interface Answer {
  /** As the server would store them, without what it adds by itself. */
  readonly objects: readonly JsonObject[];
  readonly refused: readonly string[];
}

/** What kubectl and the real server make of a text; nothing is stored. */
async function asKubernetes(text: string): Promise<Answer> {
  const create = ['create', '--dry-run=server', '--validate=ignore', '-o', 'json', '-f', '-'];
  try {
    return { objects: documents(await kubernetes().kubectl(create, text)).map(plain), refused: [] };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    const refused = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Warning:'));
    return { objects: documents(stdout).map(plain), refused: refused.map((line) => line.replaceAll('"STDIN"', 'it')) };
  }
}

/** kubectl prints one document after the other. */
function documents(out: string): readonly JsonObject[] {
  return out
    .split(/^(?=\{$)/m)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text) as JsonObject);
}

/** Without what the server allocates, and what every rendered object is marked with. */
function plain(object: JsonObject): JsonObject {
  const copy = structuredClone(object) as { metadata?: Record<string, Json>; spec?: Record<string, Json>; [key: string]: Json | undefined };
  for (const key of ['uid', 'creationTimestamp', 'managedFields', 'resourceVersion', 'generation', 'selfLink']) delete copy.metadata?.[key];
  const annotations = { ...(copy.metadata?.['annotations'] as JsonObject | undefined) } as Record<string, Json>;
  for (const key of Object.keys(annotations)) if (key.startsWith('capstan.dev/')) delete annotations[key];
  if (Object.keys(annotations).length === 0) delete copy.metadata?.['annotations'];
  else if (copy.metadata !== undefined) copy.metadata['annotations'] = annotations;
  if (copy['kind'] === 'Service')
    for (const key of ['clusterIP', 'clusterIPs', 'healthCheckNodePort']) if (copy.spec?.[key] !== 'None') delete copy.spec?.[key];
  for (const port of (copy.spec?.['ports'] as Record<string, Json>[] | undefined) ?? [])
    if (copy['kind'] === 'Service') delete port['nodePort'];
  delete copy['status'];
  return copy as JsonObject;
}

function nameOf(object: JsonObject): string {
  return [
    jsonText(object['apiVersion']),
    jsonText(object['kind']),
    jsonText(valueAt(object, '/metadata/namespace')),
    jsonText(valueAt(object, '/metadata/name')),
  ].join(' ');
}

function rendered(text: string, namespace: string) {
  const capsule = 'components: { all: { kind: Manifests, source: { path: files/one.yaml } } }';
  return renderUnit(unit(capsule, { files: { 'files/one.yaml': text }, target: { namespace } }));
}

/** Each difference of one file in a sentence; empty where both mean the same. */
async function differences(text: string): Promise<readonly string[]> {
  const theirs = await asKubernetes(text);
  const namespace = jsonText(theirs.objects.map((object) => valueAt(object, '/metadata/namespace')).find((one) => typeof one === 'string'));
  const ours = rendered(text, namespace === '' ? 'default' : namespace);
  if (!ours.ok) {
    const told = ours.problems.map(({ message }) =>
      message.replace(/^capsules\/web\/files\/one\.yaml /, '').replace(/ \(web 1\.0\.0 for prod\/eu-1\)/, ''),
    );
    return theirs.objects.length === 0 && theirs.refused.length > 0 ? [] : [...new Set(told)].slice(0, 1);
  }
  const again = await asKubernetes(ours.value.objects.map((object) => `---\n${object.text}`).join(''));
  const before = new Map(theirs.objects.map((object) => [nameOf(object), object]));
  const after = new Map(again.objects.map((object) => [nameOf(object), object]));
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const original = before.get(name);
    const made = after.get(name);
    if (original === undefined) return [`${name} is made, and kubectl makes none of it`];
    if (made === undefined) return [`${name} is not made: ${again.refused.join('; ')}`];
    return fieldChanges(original, made).map(
      ({ field, before: was, after: is }) => `${name} ${field}: ${JSON.stringify(was)} -> ${JSON.stringify(is)}`,
    );
  });
}

async function prepare(): Promise<void> {
  const all = files.map(([, text]) => text).join('\n---\n');
  const namespaces = new Set([...all.matchAll(/^ *namespace: *"?([a-z0-9-]+)"?\s*$/gm)].map(([, name]) => name ?? ''));
  for (const namespace of namespaces)
    await kubernetes()
      .kubectl(['create', 'namespace', namespace])
      .catch(() => '');
  for (const [, text] of files.filter(([, one]) => /^kind: CustomResourceDefinition/m.test(one)))
    await kubernetes().kubectl(['apply', '--server-side', '-f', '-'], text);
}

/** Files that are refused where kubectl takes them, by the reason. Of all others no object may differ in anything. */
const REFUSED: readonly { readonly why: string; readonly told: RegExp; readonly files: readonly string[] }[] = [
  {
    why: 'a Secret with its values in git is refused (V-80)',
    told: /with values in (data|stringData)$/,
    files: [
      'examples/_archived/persistent-volume-provisioning/glusterfs/glusterfs-secret.yaml',
      'examples/_archived/persistent-volume-provisioning/rbd/ceph-secret-admin.yaml',
      'examples/_archived/persistent-volume-provisioning/rbd/ceph-secret-user.yaml',
      'examples/_archived/volumes/azure_file/secret/azure-secret.yaml',
      'examples/_archived/volumes/cephfs/secret/ceph-secret.yaml',
      'examples/_archived/volumes/iscsi/chap-secret.yaml',
      'examples/_archived/volumes/rbd/secret/ceph-secret.yaml',
      'examples/_archived/volumes/scaleio/secret.yaml',
      'examples/_archived/volumes/storageos/storageos-secret.yaml',
      'kube-prometheus/examples/basic-auth/secrets.yaml',
      'kube-prometheus/manifests/alertmanager-secret.yaml',
      'kube-prometheus/manifests/grafana-config.yaml',
      'kube-prometheus/manifests/grafana-dashboardDatasources.yaml',
    ],
  },
  {
    why: 'a key twice, of which kubectl silently takes the last, is refused',
    told: /^has the key "\w+" twice$/,
    files: [
      'examples/_archived/openshift-origin/etcd-controller.yaml',
      'examples/_archived/openshift-origin/etcd-discovery-controller.yaml',
      'examples/_archived/openshift-origin/openshift-controller.yaml',
      'examples/_archived/persistent-volume-provisioning/quobyte/quobyte-admin-secret.yaml',
      'examples/_archived/volumes/scaleio/sc-pvc.yaml',
    ],
  },
  {
    why: 'objects outside the namespace of the target are refused (V-87)',
    told: /; the target's is /,
    files: [
      'examples/AI/vllm-deployment/hpa/prometheus-adapter.yaml',
      'kube-prometheus/manifests/prometheus-roleBindingSpecificNamespaces.yaml',
      'kube-prometheus/manifests/prometheus-roleSpecificNamespaces.yaml',
    ],
  },
];

test.runIf(files.length > 0)(
  'four hundred files of others mean what kubectl makes of them',
  async () => {
    await prepare();
    const found = new Map<string, readonly string[]>();
    const waiting = [...files];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [path, text] = next;
        const differing = await differences(text);
        if (differing.length > 0) found.set(path, differing);
      }
    };
    await Promise.all([work(), work(), work()]);

    expect(files).toHaveLength(408);
    for (const { why, told, files: known } of REFUSED) {
      const here = [...found].filter(([, differing]) => differing.length === 1 && told.test(differing[0] ?? '')).map(([path]) => path);
      expect([why, here.toSorted()]).toEqual([why, known.toSorted()]);
      for (const path of here) found.delete(path);
    }
    expect(Object.fromEntries(found)).toEqual({});
  },
  900_000,
);
