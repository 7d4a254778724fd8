import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { isJsonObject, type Json, type JsonObject, jsonText, pointerKeys, pointerToken } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { openKubernetes } from '#model/kubernetes-shapes.ts';
import { type CustomKinds, customKinds, isDefinition, judgeObject } from '#render/render.ts';
import { type ForeignObject, foreignObjects } from '#test/foreign-objects.ts';
import { kubernetesTexts } from '#test/render/kubernetes-texts.ts';
import { type RunningKubernetes, startKubernetes } from '#test/servers/kubernetes.ts';

const API = openKubernetes(kubernetesTexts(), '1.35');
const scratch = mkdtempSync(join(tmpdir(), 'capstan-objects-'));
const found = foreignObjects();
let kubernetes: RunningKubernetes | undefined;

beforeAll(async () => {
  if (found !== undefined) kubernetes = await startKubernetes(scratch);
});

afterAll(async () => {
  await kubernetes?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** What the server says to an object that is created for show, with unknown and repeated fields refused; undefined: it has such a kind not. */
async function serverVerdict(server: RunningKubernetes, resources: Resources, object: KubernetesObject): Promise<Verdict | undefined> {
  const resource = resources.get(`${object.apiVersion} ${object.kind}`);
  if (resource === undefined) return undefined;
  const { namespace: _, ...metadata } = object.metadata;
  const inNamespace = resource.namespaced ? 'namespaces/default/' : '';
  const base = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const answer = await asked(server, `${base}/${inNamespace}${resource.plural}?dryRun=All&fieldValidation=Strict`, { ...object, metadata });
  // It is there already: nothing is wrong with it.
  return { isFine: answer.status < 300 || answer.status === 409, message: jsonText(answer.body['message']).slice(0, 300) };
}

interface Verdict {
  readonly isFine: boolean;
  readonly message: string;
}

type Resources = ReadonlyMap<string, { readonly plural: string; readonly namespaced: boolean }>;

async function resourcesOf(server: RunningKubernetes, versions: ReadonlySet<string>): Promise<Resources> {
  const found = new Map<string, { plural: string; namespaced: boolean }>();
  for (const version of versions) {
    const { body } = await asked(server, version.includes('/') ? `/apis/${version}` : `/api/${version}`, undefined);
    for (const one of (body['resources'] ?? []) as { name: string; kind: string; namespaced: boolean }[])
      if (!one.name.includes('/')) found.set(`${version} ${one.kind}`, { plural: one.name, namespaced: one.namespaced });
  }
  return found;
}

function asked(
  server: RunningKubernetes,
  path: string,
  body: JsonObject | undefined,
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    const sent = request(
      `${server.url}${path}`,
      { method: body === undefined ? 'GET' : 'POST', headers, ca: server.certificateAuthority },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: (text.startsWith('{') ? JSON.parse(text) : { message: text }) as JsonObject });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? '' : JSON.stringify(body));
  });
}

/** Errors that we see, told as `validate` would; `unknown`: no schema here judges it. */
function ownErrors(custom: CustomKinds, object: KubernetesObject): readonly string[] | 'unknown' {
  const judgement = judgeObject(API, custom, object);
  if (judgement.kind === 'unknown') return 'unknown';
  return judgement.findings.filter(({ isTolerated }) => !isTolerated).map(({ pointer, message }) => `${pointer} ${message}`);
}

interface Judging {
  readonly server: RunningKubernetes;
  readonly resources: Resources;
  readonly custom: CustomKinds;
  readonly objects: readonly ForeignObject[];
}

/** The definitions among the objects are installed; the rest is only looked at. */
async function judging(): Promise<Judging> {
  if (kubernetes === undefined || found === undefined) throw new Error('no server');
  const definitions = found.map(({ object }) => object).filter(isDefinition);
  for (const definition of definitions) await asked(kubernetes, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  await kubernetes.kubectl(['wait', '--for=condition=established', '--timeout=60s', 'crd', '--all']);
  const resources = await resourcesOf(kubernetes, new Set(found.map(({ object }) => object.apiVersion)));
  return { server: kubernetes, resources, custom: customKinds(definitions), objects: found };
}

interface Compared {
  readonly counts: { judged: number; fine: number; refused: number; kindMissing: number };
  readonly onlyOurs: string[];
  readonly onlyTheirs: string[];
}

async function compared({ server, resources, custom, objects }: Judging): Promise<Compared> {
  const result: Compared = { counts: { judged: 0, fine: 0, refused: 0, kindMissing: 0 }, onlyOurs: [], onlyTheirs: [] };
  for (const { file, object } of objects) {
    const own = ownErrors(custom, object);
    if (own === 'unknown') continue;
    result.counts.judged += 1;
    const verdict = await serverVerdict(server, resources, object);
    const where = `${file} ${object.kind}`;
    if (verdict === undefined) result.counts.kindMissing += 1;
    else if (verdict.isFine) result.counts.fine += 1;
    else result.counts.refused += 1;
    if (verdict?.isFine === true && own.length > 0) result.onlyOurs.push(`${where}: ${own.join('; ')}`);
    if (verdict?.isFine !== true && own.length === 0) result.onlyTheirs.push(`${where}: ${verdict?.message ?? 'no such kind'}`);
  }
  return result;
}

/** The server of this test lets nobody be privileged; names are judged where objects are rendered. */
const OUTSIDE_SCHEMAS = /disallowed by cluster policy|metadata\.name: Invalid value/;

test.runIf(found !== undefined)(
  'what we refuse the server refuses, and what it refuses we refuse, of objects that nobody here wrote',
  async () => {
    const { counts, onlyOurs, onlyTheirs } = await compared(await judging());

    expect(onlyOurs).toEqual([]);
    expect(onlyTheirs.filter((line) => !OUTSIDE_SCHEMAS.test(line))).toEqual([]);
    expect(counts).toEqual({ judged: 533, fine: 506, refused: 15, kindMissing: 12 });
  },
);

/** Pointers of everything below `spec`, `data` and the like. */
function pointersBelow(value: Json, pointer: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return pointer === '' ? [] : [pointer];
  const own = pointer === '' ? [] : [pointer];
  return [...own, ...Object.entries(value).flatMap(([key, below]) => pointersBelow(below as Json, pointer + pointerToken(key)))];
}

const MISTAKES: readonly ((key: string, value: Json) => Readonly<Record<string, Json>>)[] = [
  (key, value) => ({ [`${key}x`]: value }),
  () => ({}),
  (key, value) => ({ [key]: typeof value === 'number' ? String(value) : 7 }),
  (key, value) => ({ [key]: typeof value === 'boolean' ? 'true' : true }),
  (key) => ({ [key]: { a: 'b' } }),
  (key) => ({ [key]: ['a'] }),
];

/** The object with one mistake, the same one for the same number. */
function mistaken(object: KubernetesObject, number: number): KubernetesObject {
  const { apiVersion, kind, metadata, status: _, ...rest } = object;
  const pointers = pointersBelow(rest, '');
  const pointer = pointers[(number * 7919) % Math.max(1, pointers.length)];
  const mistake = MISTAKES[number % MISTAKES.length];
  if (pointer === undefined || mistake === undefined) return object;
  const change = (value: Json, [key = '', ...deeper]: readonly string[]): Json => {
    if (Array.isArray(value)) {
      const items: readonly Json[] = value;
      return items.map((item, at) => (String(at) === key && deeper.length > 0 ? change(item, deeper) : item));
    }
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, item]) =>
        name !== key ? [[name, item]] : deeper.length === 0 ? Object.entries(mistake(name, item)) : [[name, change(item, deeper)]],
      ),
    );
  };
  return { ...(change(rest, pointerKeys(pointer)) as JsonObject), apiVersion, kind, metadata };
}

/** What a server says of the shape of an object, not of its meaning. */
const OF_SHAPE = /unknown field|cannot unmarshal|unrecognized type|expected (?:string|map|list|object)|Unsupported value: "/;

test.runIf(found !== undefined)('of the same objects with a mistake in each we refuse nothing that the server takes', async () => {
  const all = await judging();
  const fine = all.objects.filter(({ object }) => ownErrors(all.custom, object).length === 0);
  const wrong = [0, 1, 2].flatMap((round) => fine.map(({ file, object }, at) => ({ file, object: mistaken(object, at * 3 + round) })));

  const { counts, onlyOurs, onlyTheirs } = await compared({ ...all, objects: wrong });

  expect(onlyOurs).toEqual([]);
  expect(onlyTheirs.filter((line) => OF_SHAPE.test(line))).toEqual([]);
  expect(counts.refused).toBeGreaterThan(100);
});
