import type { LeftOut, Luggage } from '#model/arrival.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { mergePatch } from '#model/merge-patch.ts';
import { quoted } from '#model/quoted.ts';
import { expandedSet } from './application-sets.ts';
import { layerOf, readValues } from './charts.ts';
import type { Controlled } from './controllers.ts';
import { controlledBy, listOf, mapOf, nameUnmapped, textOf } from './controllers.ts';
import type { Delivery } from './deliveries.ts';
import { fromDeliveries } from './deliveries.ts';
import type { Drafts } from './drafts.ts';
import type { ManifestsWish } from './manifests.ts';
import { nameOf } from './naming.ts';
import { environmentIn, joined } from './paths.ts';
import { environmentSuffix } from './stages.ts';

const GROUP = 'argoproj.io';

/** Applications and ApplicationSets whose sources lie in the same folder. */
export function fromArgocd(luggage: Luggage, wish: ManifestsWish): Drafts {
  const leftOut: LeftOut[] = [...luggage.unread];
  const found = controlledBy(luggage, new Set(['Application', 'ApplicationSet', 'AppProject'].map((kind) => `${GROUP}/${kind}`)));
  const applications = found.flatMap((one): readonly Controlled[] => {
    if (one.facts.kind === 'Application') return [one];
    if (one.facts.kind === 'ApplicationSet') return expandedSet(luggage, one, leftOut);
    const why = 'says who may deploy what where: write it as policies and as teams of environments/project.yaml';
    leftOut.push({ file: one.file, line: one.line, what: `AppProject ${one.facts.name}`, why });
    return [];
  });
  const deliveries = applications.flatMap((one) => deliveryOf(luggage, one, wish, leftOut) ?? []);
  return fromDeliveries(luggage, deliveries, wish, leftOut);
}

function deliveryOf(luggage: Luggage, one: Controlled, wish: ManifestsWish, leftOut: LeftOut[]): Delivery | undefined {
  const { file, line, spec, facts } = one;
  const what = `Application ${facts.name}`;
  const leave = (part: string, why: string): undefined => {
    leftOut.push({ file, line, what: part === '' ? what : `${what}: ${part}`, why });
    return undefined;
  };
  const sources = listOf(spec['sources']);
  const source = sources.length === 1 ? mapOf(sources[0]) : mapOf(spec['source']);
  if (sources.length > 1) return leave('', 'has several sources: make an Application of each');
  if (textOf(source['chart']) !== undefined)
    return leave(
      '',
      `takes the chart ${quoted(textOf(source['chart']) ?? '')} from a chart repository: \`helm pull --untar\` it into the repository and name its path`,
    );
  const path = joined('', textOf(source['path']) ?? '.');
  if (path === undefined || ![...luggage.files.keys()].some((known) => path === '' || known.startsWith(`${path}/`)))
    return leave(
      '',
      `takes ${quoted(textOf(source['path']) ?? '.')}, which is not in the folder that is read (is it of another repository?)`,
    );
  const destination = mapOf(spec['destination']);
  const helm = mapOf(source['helm']);
  const values = valuesOf(luggage, { one, what, path }, helm, leftOut);
  const revision = textOf(source['targetRevision']);
  if (revision !== undefined && !/^(HEAD|main|master)$/.test(revision))
    leave(`targetRevision ${quoted(revision)}`, 'is another revision than the files that are read: check that they are the same');
  leftOut.push(
    ...nameUnmapped({ file, line, what: `${what}: source` }, source, {
      repoURL: undefined,
      path: undefined,
      targetRevision: undefined,
      helm: undefined,
      directory: undefined,
      name: undefined,
      kustomize: 'changes what the folder builds: write it into its kustomization.yaml',
      plugin: 'runs a program: write what it gives as files',
    }),
    ...nameUnmapped({ file, line, what: `${what}: source.directory` }, mapOf(source['directory']), { recurse: undefined }),
    ...nameUnmapped({ file, line, what }, spec, {
      source: undefined,
      sources: undefined,
      destination: undefined,
      syncPolicy: undefined,
      project: undefined,
      revisionHistoryLimit: undefined,
      info: undefined,
      ignoreDifferences: 'becomes sync.drift.ignore of the environment, which this version does not act on: nothing would be applied there',
    }),
  );
  const cluster = textOf(destination['name']);
  const byName = environmentSuffix(facts.name);
  const named = cluster === 'in-cluster' ? undefined : cluster;
  const environment =
    environmentIn(path) ??
    helmEnvironment(helm) ??
    named ??
    byName ??
    environmentSuffix(textOf(destination['namespace']) ?? '') ??
    wish.environment;
  if (named !== undefined && named !== environment)
    leave(
      `destination.name ${quoted(named)}`,
      `is a cluster: the environment is ${environment}, whose target is a directory; declare a target with credentials when one is wanted`,
    );
  const server = textOf(destination['server']);
  if (server !== undefined && !server.includes('kubernetes.default'))
    leave(
      `destination.server ${quoted(server)}`,
      'is a cluster: the target here is a directory; declare a target with credentials when one is wanted',
    );
  return {
    file,
    line,
    what,
    id: facts.name,
    instance: instanceOf(facts.name, environment),
    environment: nameOf(environment),
    namespace: textOf(destination['namespace']) ?? wish.namespace,
    path,
    forcesNamespace: false,
    recurse: mapOf(source['directory'])['recurse'] === true,
    values,
    dependsOn: [],
    sync: syncOf({ file, line, what }, mapOf(spec['syncPolicy']), leftOut),
  };
}

/** `web-prod` in prod is `web`. */
export function instanceOf(name: string, environment: string): string {
  for (const affix of [`-${environment}`, `${environment}-`]) {
    if (name.endsWith(affix) && name.length > affix.length) return nameOf(name.slice(0, -affix.length));
    if (name.startsWith(affix) && name.length > affix.length) return nameOf(name.slice(affix.length));
  }
  return nameOf(name);
}

function helmEnvironment(helm: JsonObject): string | undefined {
  for (const entry of listOf(helm['valueFiles']).toReversed()) {
    const [, name] = /^(?:.*\/)?values[-._](.+)\.ya?ml$/.exec(textOf(entry) ?? '') ?? [];
    if (name !== undefined) return name;
  }
  return undefined;
}

/** Values as Argo CD merges them: files in order, then `values`, `valuesObject`, parameters. */
function valuesOf(
  luggage: Luggage,
  from: { readonly one: Controlled; readonly what: string; readonly path: string },
  helm: JsonObject,
  leftOut: LeftOut[],
): JsonObject {
  const { one, what, path } = from;
  const { file, line } = one;
  let values: Json = {};
  for (const entry of listOf(helm['valueFiles'])) {
    const named = textOf(entry) ?? '';
    const at = /^[a-z]+:|^\$/.test(named) ? undefined : named.startsWith('/') ? joined('', named.slice(1)) : joined(path, named);
    const layer = at === undefined ? undefined : readValues(luggage, at, leftOut);
    if (layer === undefined || at === undefined)
      leftOut.push({ file, line, what: `${what}: valueFiles ${quoted(named)}`, why: 'is not in the folder that is read' });
    else values = mergePatch(values, layerOf(layer, at, leftOut));
  }
  const written = textOf(helm['values']);
  if (written !== undefined) {
    const inner = readValues({ ...luggage, files: new Map([[file, new TextEncoder().encode(written)]]) }, file, leftOut);
    values = mergePatch(values, layerOf(inner ?? {}, file, leftOut));
  }
  values = mergePatch(values, layerOf(mapOf(helm['valuesObject']), file, leftOut));
  for (const entry of listOf(helm['parameters'])) values = withParameter(values, mapOf(entry), { file, line, what }, leftOut);
  leftOut.push(
    ...nameUnmapped({ file, line, what: `${what}: helm` }, helm, {
      valueFiles: undefined,
      values: undefined,
      valuesObject: undefined,
      parameters: undefined,
      ignoreMissingValueFiles: undefined,
      version: undefined,
      releaseName: 'names the release: here it is the name of the instance',
    }),
  );
  return isJsonObject(values) ? values : {};
}

/** `a.b` of a parameter; lists by number are left out. */
function withParameter(
  values: Json,
  parameter: JsonObject,
  from: { readonly file: string; readonly line: number; readonly what: string },
  leftOut: LeftOut[],
): Json {
  const name = textOf(parameter['name']) ?? '';
  const keys = name.split('.');
  if (!keys.every((key) => /^[A-Za-z0-9_-]+$/.test(key)) || keys.some((key) => FORBIDDEN.has(key))) {
    leftOut.push({
      file: from.file,
      line: from.line,
      what: `${from.what}: parameter ${quoted(name)}`,
      why: 'is no plain path of keys: write it as values',
    });
    return values;
  }
  const value = parameter['value'] ?? '';
  return mergePatch(
    values,
    keys.reduceRight<Json>((inner, key) => ({ [key]: inner }), parameter['forceString'] === true ? value : scalarOf(value)),
  );
}

const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** As `--set` reads it. */
function scalarOf(value: Json): Json {
  if (value === 'true' || value === 'false') return value === 'true';
  return typeof value === 'string' && /^(?:0|-?[1-9][0-9]{0,14})$/.test(value) ? Number(value) : value;
}

function syncOf(
  from: { readonly file: string; readonly line: number; readonly what: string },
  policy: JsonObject,
  leftOut: LeftOut[],
): JsonObject {
  const automated = policy['automated'];
  const isAutomated = isJsonObject(automated) && automated['enabled'] !== false;
  const say = (what: string, why: string): void =>
    void leftOut.push({ file: from.file, line: from.line, what: `${from.what}: ${what}`, why });
  if (!isAutomated)
    say('syncPolicy', 'is by hand: here what is merged is applied; `promotion.merge: manual` lets a person decide what is merged');
  let prune: Json = isAutomated && mapOf(automated)['prune'] === true;
  for (const option of listOf(policy['syncOptions']).map((one) => textOf(one) ?? '')) {
    if (option === 'Prune=confirm') prune = 'confirm';
    else say(`syncOptions ${quoted(option)}`, OPTIONS.get(option.split('=')[0] ?? '') ?? 'has nothing here that does the same');
  }
  if (policy['retry'] !== undefined)
    say('syncPolicy.retry', 'is sync.retryBudget, which this version does not act on: the service tries again by itself');
  for (const field of Object.keys(policy)) {
    if (!['automated', 'syncOptions', 'retry'].includes(field)) say(`syncPolicy.${field}`, 'has nothing here that does the same');
  }
  return { prune, selfHeal: isAutomated && mapOf(automated)['selfHeal'] === true };
}

const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['CreateNamespace', 'made the namespace: write the Namespace as a manifest of a capsule'],
  ['ServerSideApply', 'is about how a cluster is written to: the target here is a directory'],
  ['ApplyOutOfSyncOnly', 'is so here always'],
  ['PruneLast', 'is so here always'],
  ['Replace', 'is about how a cluster is written to: the target here is a directory'],
  ['Validate', 'switches checks off, which is not possible here'],
]);
