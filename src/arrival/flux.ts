import type { LeftOut, Luggage } from '#model/arrival.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { quoted } from '#model/quoted.ts';
import { instanceOf } from './argocd.ts';
import { chartsOf, layerOf } from './charts.ts';
import type { Controlled } from './controllers.ts';
import { controlledBy, listOf, mapOf, nameUnmapped, textOf } from './controllers.ts';
import type { Delivery } from './deliveries.ts';
import { durationOf, fromDeliveries } from './deliveries.ts';
import type { Drafts } from './drafts.ts';
import type { ManifestsWish } from './manifests.ts';
import { nameOf } from './naming.ts';
import { environmentIn, folderOf, isBelow, joined, nameIn } from './paths.ts';
import { environmentSuffix } from './stages.ts';

const KINDS = [
  'kustomize.toolkit.fluxcd.io/Kustomization',
  'helm.toolkit.fluxcd.io/HelmRelease',
  'source.toolkit.fluxcd.io/GitRepository',
  'source.toolkit.fluxcd.io/HelmRepository',
  'source.toolkit.fluxcd.io/OCIRepository',
  'source.toolkit.fluxcd.io/Bucket',
];

interface Trip {
  readonly luggage: Luggage;
  readonly wish: ManifestsWish;
  readonly leftOut: LeftOut[];
}

/** Flux Kustomizations and HelmReleases whose sources lie in the same folder. */
export function fromFlux(luggage: Luggage, wish: ManifestsWish): Drafts {
  const trip: Trip = { luggage, wish, leftOut: [...luggage.unread] };
  const found = controlledBy(luggage, new Set(KINDS));
  const kustomizations = found.filter((one) => one.facts.kind === 'Kustomization');
  const built = kustomizations.flatMap((one) => kustomizationDelivery(trip, one, kustomizations) ?? []);
  const releases = found.filter((one) => one.facts.kind === 'HelmRelease').flatMap((one) => releaseDelivery(trip, one, built) ?? []);
  for (const one of found.filter((item) => item.facts.group.startsWith('source.') && item.facts.kind !== 'GitRepository')) {
    const why = 'is fetched over the network: what a release takes from it has to lie in the repository';
    trip.leftOut.push({ file: one.file, line: one.line, what: `${one.facts.kind} ${one.facts.name}`, why });
  }
  return fromDeliveries(luggage, [...built, ...releases], wish, trip.leftOut);
}

function kustomizationDelivery(trip: Trip, one: Controlled, all: readonly Controlled[]): Delivery | undefined {
  const { file, line, spec, facts } = one;
  const what = `Kustomization ${facts.name}`;
  const leave = (why: string): undefined => void trip.leftOut.push({ file, line, what, why });
  const source = mapOf(spec['sourceRef']);
  if (textOf(source['kind']) !== 'GitRepository')
    return leave(`takes ${textOf(source['kind']) ?? 'nothing'} ${textOf(source['name']) ?? ''}, which is not in git`);
  const path = joined('', textOf(spec['path']) ?? '.');
  const there = path === undefined ? [] : [...trip.luggage.files.keys()].filter((known) => isBelow(known, path));
  if (path === undefined || there.length === 0)
    return leave(`applies ${quoted(textOf(spec['path']) ?? '.')}, which is not in the folder that is read`);
  // The one that applies the declarations of Flux themselves (`clusters/prod`) has no work left.
  if (all.some((other) => other !== one && isBelow(other.file, path)))
    return leave(`applies ${path || '.'}, where other Kustomizations stand: they are brought instead`);
  trip.leftOut.push(
    ...nameUnmapped({ file, line, what }, spec, {
      sourceRef: undefined,
      path: undefined,
      prune: undefined,
      interval: undefined,
      suspend: undefined,
      dependsOn: undefined,
      targetNamespace: undefined,
      wait: undefined,
      timeout: 'is sync.timeout, which this version does not act on: nothing would be applied there',
      retryInterval: 'is sync.retryInterval, which this version does not act on: the service tries again by itself',
      postBuild: 'puts values into what is built: write them into the kustomization, or as templates of a capsule',
      patches: 'changes what is built: write it into a kustomization.yaml',
      images: 'changes what is built: write it into a kustomization.yaml',
      components: 'changes what is built: write it into a kustomization.yaml',
      decryption: 'decrypts secrets, which do not come along: declare them in spec.secrets of the capsule',
      healthChecks: 'names what has to be healthy: here everything that is applied is looked at',
      kubeConfig: 'names another cluster: declare a target with credentials when one is wanted',
      serviceAccountName: 'is who applies: say `impersonate` at a target of a cluster',
    }),
  );
  const environment = environmentOf(trip, one, path);
  return {
    file,
    line,
    what,
    id: facts.name,
    instance: instanceOf(facts.name, environment),
    environment: nameOf(environment),
    namespace: textOf(spec['targetNamespace']) ?? trip.wish.namespace,
    forcesNamespace: textOf(spec['targetNamespace']) !== undefined,
    path,
    recurse: true,
    values: {},
    dependsOn: listOf(spec['dependsOn']).flatMap((other) => textOf(mapOf(other)['name']) ?? []),
    sync: syncOf(spec, spec['prune'] === true),
  };
}

function syncOf(spec: JsonObject, prune: boolean | undefined): JsonObject {
  const interval = durationOf(spec['interval']);
  return {
    ...(interval === undefined ? {} : { interval }),
    ...(prune === undefined ? {} : { prune }),
    ...(spec['suspend'] === true ? { suspend: true } : {}),
  };
}

/** The cluster whose folder says so, or what names say. */
function environmentOf(trip: Trip, one: Controlled, path: string): string {
  return (
    environmentIn(folderOf(one.file)) ??
    environmentIn(path) ??
    environmentSuffix(nameIn(path)) ??
    environmentSuffix(one.facts.name) ??
    trip.wish.environment
  );
}

function releaseDelivery(trip: Trip, one: Controlled, built: readonly Delivery[]): Delivery | undefined {
  const { file, line, spec, facts } = one;
  const what = `HelmRelease ${facts.name}`;
  const leave = (why: string): undefined => void trip.leftOut.push({ file, line, what, why });
  const around = built.find((delivery) => isBelow(file, delivery.path));
  if (around !== undefined)
    return leave(
      `comes along as an object of ${around.what}: Flux goes on installing it; write a Helm component in its place to render it here`,
    );
  const chart = mapOf(mapOf(spec['chart'])['spec']);
  const named = textOf(chart['chart']) ?? '';
  const kind = textOf(mapOf(chart['sourceRef'])['kind']);
  const charts = chartsOf(trip.luggage, []);
  const path = kind === 'GitRepository' ? joined('', named) : [...charts.values()].find((known) => known.name === nameIn(named))?.folder;
  if (path === undefined || !charts.has(path)) {
    const version = textOf(chart['version']);
    return leave(
      `takes the chart ${quoted(named)}${version === undefined ? '' : ` ${quoted(version)}`} from elsewhere: \`helm pull --untar\` it into the repository, and bring it again`,
    );
  }
  trip.leftOut.push(
    ...nameUnmapped({ file, line, what }, spec, {
      chart: undefined,
      values: undefined,
      interval: undefined,
      suspend: undefined,
      dependsOn: undefined,
      targetNamespace: undefined,
      releaseName: 'names the release: here it is the name of the instance',
      valuesFrom: 'takes values from objects of the cluster: write them as configuration, or as secrets',
      timeout: 'is sync.timeout, which this version does not act on: nothing would be applied there',
      postRenderers: 'changes what is rendered: write it as patches of the capsule',
    }),
  );
  const environment = environmentOf(trip, one, path);
  const values: Json = mapOf(spec['values']);
  return {
    file,
    line,
    what,
    id: facts.name,
    instance: instanceOf(facts.name, environment),
    environment: nameOf(environment),
    namespace: textOf(spec['targetNamespace']) ?? facts.namespace ?? trip.wish.namespace,
    forcesNamespace: false,
    path,
    recurse: true,
    values: layerOf(values, file, trip.leftOut),
    dependsOn: listOf(spec['dependsOn']).flatMap((other) => textOf(mapOf(other)['name']) ?? []),
    sync: syncOf(spec, undefined),
  };
}
