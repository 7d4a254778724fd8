import type { LeftOut, Luggage, Mapped, Origin } from '#model/arrival.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { canonicalJson } from '#model/json.ts';
import type { Chart } from './charts.ts';
import { chartCapsule, chartsOf } from './charts.ts';
import type { CapsuleDraft, Drafts } from './drafts.ts';
import type { Family } from './families.ts';
import { familiesOf, familyCapsule, overlayPath } from './families.ts';
import type { Kustomization } from './kustomizations.ts';
import { kustomizationsOf } from './kustomizations.ts';
import { fromFolder } from './manifests.ts';
import type { ManifestsWish } from './manifests.ts';
import { nameOf, unused } from './naming.ts';
import { environmentsOf } from './stages.ts';
import type { Run } from './stages.ts';

/** One folder that another tool puts to one place: an Application, a Flux Kustomization, a HelmRelease. */
export interface Delivery {
  readonly file: string;
  readonly line: number | undefined;
  /** `Application web-prod`. */
  readonly what: string;
  /** Under which others name it. */
  readonly id: string;
  readonly instance: string;
  readonly environment: string;
  readonly namespace: string;
  /** It puts everything into that namespace, whatever objects say. */
  readonly forcesNamespace: boolean;
  /** Folder of what it applies. */
  readonly path: string;
  /** Folders below are applied, too. */
  readonly recurse: boolean;
  /** Values, where the folder is a chart. */
  readonly values: JsonObject;
  readonly dependsOn: readonly string[];
  /** Fields of `sync` that it asks for. */
  readonly sync: JsonObject;
}

interface Travel {
  readonly luggage: Luggage;
  readonly wish: ManifestsWish;
  readonly leftOut: LeftOut[];
  readonly mapped: Mapped[];
  readonly capsules: Map<string, CapsuleDraft>;
  readonly names: Set<string>;
  readonly runs: (Run & { readonly delivery: Delivery })[];
  readonly origins: Map<string, readonly Origin[]>;
}

/** Capsules of what is delivered, environments of where; what several deliveries of one environment disagree about is named. */
export function fromDeliveries(luggage: Luggage, deliveries: readonly Delivery[], wish: ManifestsWish, leftOut: LeftOut[]): Drafts {
  const travel: Travel = { luggage, wish, leftOut, mapped: [], capsules: new Map(), names: new Set(), runs: [], origins: new Map() };
  const charts = chartsOf(luggage, []);
  const kustomizations = kustomizationsOf(luggage, []);
  const built = deliveries.filter((one) => !charts.has(one.path) && kustomizations.has(one.path));
  const roots = [...new Set(built.flatMap((one) => kustomizations.get(one.path) ?? []))];
  const families = familiesOf(roots, kustomizations, leftOut);
  const familyNames = new Map<Family, string>();
  for (const delivery of deliveries) {
    const chart = charts.get(delivery.path);
    const kustomization = kustomizations.get(delivery.path);
    if (chart !== undefined) deliverChart(travel, delivery, chart);
    else if (kustomization !== undefined) deliverOverlay(travel, delivery, { kustomization, families, familyNames });
    else deliverFolder(travel, delivery);
  }
  const capsules = withDependencies(travel);
  const sync = syncOf(travel);
  return {
    capsules,
    environments: environmentsOf(travel.runs, {
      comment: (name) => [`What was delivered to ${name}, brought from ${luggage.name}.`],
      sync: (name) => sync.get(name) ?? {},
    }),
    mapped: travel.mapped,
    leftOut,
    origins: travel.origins,
  };
}

function run(
  travel: Travel,
  delivery: Delivery,
  from: { readonly capsule: string; readonly request: JsonObject; readonly config?: JsonObject },
  namespace: string,
): void {
  const { environment, file, line, what } = delivery;
  const taken = new Set(travel.runs.filter((one) => one.environment === environment).map((one) => one.instance));
  const instance = unused(delivery.instance, taken);
  const draft = { capsule: from.capsule, request: from.request, config: from.config };
  travel.runs.push({ environment, instance, namespace, draft, delivery });
  travel.mapped.push({ file, line, what, to: `environments/${environment}/environment.yaml: capsules.${instance}` });
}

function nameFor(travel: Travel, wanted: string): string {
  const name = unused(wanted, travel.names);
  travel.names.add(name);
  return name;
}

function deliverChart(travel: Travel, delivery: Delivery, chart: Chart): void {
  const key = `chart ${chart.folder}`;
  const capsule = travel.capsules.get(key) ?? chartCapsule(travel.luggage, chart, nameFor(travel, nameOf(chart.name)), travel.leftOut);
  travel.capsules.set(key, capsule);
  const config = Object.keys(delivery.values).length === 0 ? {} : { config: delivery.values };
  run(travel, delivery, { capsule: capsule.name, request: {}, ...config }, delivery.namespace);
}

function deliverOverlay(
  travel: Travel,
  delivery: Delivery,
  known: { readonly kustomization: Kustomization; readonly families: readonly Family[]; readonly familyNames: Map<Family, string> },
): void {
  const { kustomization } = known;
  const family = known.families.find((one) => one.roots.includes(kustomization));
  if (family === undefined) {
    travel.leftOut.push({
      file: delivery.file,
      line: delivery.line,
      what: delivery.what,
      why: `applies ${delivery.path || '.'}, which cannot be built`,
    });
    return;
  }
  const name = known.familyNames.get(family) ?? nameFor(travel, delivery.instance);
  known.familyNames.set(family, name);
  const key = `family ${name}`;
  if (!travel.capsules.has(key)) travel.capsules.set(key, familyCapsule(travel.luggage, family, name, travel.leftOut));
  if (delivery.forcesNamespace && kustomization.namespace !== undefined && kustomization.namespace !== delivery.namespace) {
    const why = `is set over ${kustomization.namespace} of ${kustomization.file}: write it there`;
    travel.leftOut.push({ file: delivery.file, line: delivery.line, what: `${delivery.what}: namespace ${delivery.namespace}`, why });
  }
  const request: JsonObject = family.roots.length > 1 ? { config: { overlay: overlayPath(family, kustomization) } } : {};
  run(travel, delivery, { capsule: name, request }, kustomization.namespace ?? delivery.namespace);
}

function deliverFolder(travel: Travel, delivery: Delivery): void {
  const { path, recurse, namespace } = delivery;
  const found: LeftOut[] = [];
  const known = [...travel.capsules.keys()].find((key) => key.startsWith(`folder ${path} ${recurse} `));
  const name = known === undefined ? nameFor(travel, delivery.instance) : (known.split(' ').at(-1) ?? delivery.instance);
  const { drafts, origins } = fromFolder(travel.luggage, { path, recurse, name }, { ...travel.wish, namespace }, found);
  if (known === undefined) travel.leftOut.push(...found);
  if (drafts.length === 0) {
    const why = `applies ${path || '.'}, which holds no object here`;
    travel.leftOut.push({ file: delivery.file, line: delivery.line, what: delivery.what, why });
  }
  for (const { capsule, namespace: space } of drafts) {
    travel.names.add(capsule.name);
    travel.capsules.set(`folder ${path} ${recurse} ${capsule.name}`, capsule);
    run(
      travel,
      { ...delivery, instance: capsule.name === name ? delivery.instance : capsule.name },
      { capsule: capsule.name, request: {} },
      space,
    );
  }
  for (const [file, found_] of origins) travel.origins.set(file, found_);
}

/** What a delivery waits for becomes a dependency of its capsule, where both run in every environment that has the capsule. */
function withDependencies(travel: Travel): readonly CapsuleDraft[] {
  return [...travel.capsules.values()].map((capsule) => {
    const own = travel.runs.filter((one) => one.draft.capsule === capsule.name);
    const wanted = new Map<string, JsonObject>();
    for (const { delivery, environment } of own) {
      for (const id of delivery.dependsOn) {
        const other = travel.runs.find((one) => one.delivery.id === id && one.environment === environment);
        const isEverywhere =
          other !== undefined &&
          own.every((one) => travel.runs.some((two) => two.environment === one.environment && two.draft.capsule === other.draft.capsule));
        if (
          other === undefined ||
          !isEverywhere ||
          other.draft.capsule === capsule.name ||
          waits(travel, other.draft.capsule, capsule.name)
        ) {
          const why =
            other === undefined ? 'is not delivered here' : 'cannot be a dependency: it is not everywhere where this is, or waits for it';
          travel.leftOut.push({ file: delivery.file, line: delivery.line, what: `${delivery.what}: dependsOn ${id}`, why });
        } else wanted.set(other.draft.capsule, { capsule: other.draft.capsule, version: '^1.0.0' });
      }
    }
    return wanted.size === 0 ? capsule : { ...capsule, spec: { ...capsule.spec, dependencies: Object.fromEntries(wanted) } };
  });
}

/** Whether a capsule's deliveries wait, one through the other, for those of another. */
function waits(travel: Travel, from: string, on: string): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === on) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    const here = name;
    for (const one of travel.runs.filter((item) => item.draft.capsule === here))
      for (const id of one.delivery.dependsOn)
        open.push(...travel.runs.filter((other) => other.delivery.id === id).map((other) => other.draft.capsule));
  }
  return false;
}

/** An environment has one `sync`: what all of its deliveries ask for alike. */
function syncOf(travel: Travel): ReadonlyMap<string, JsonObject> {
  const answer = new Map<string, JsonObject>();
  for (const environment of new Set(travel.runs.map((one) => one.environment))) {
    const deliveries = [...new Set(travel.runs.filter((one) => one.environment === environment).map((one) => one.delivery))];
    const fields = new Map<string, Json>();
    for (const field of new Set(deliveries.flatMap((one) => Object.keys(one.sync)))) {
      const asked = deliveries.filter((one) => one.sync[field] !== undefined);
      // One that is suspended stops nobody else; a release that says nothing of pruning agrees with all.
      const values = new Map(
        (field === 'suspend' ? deliveries : asked).map((one) => [canonicalJson(one.sync[field] ?? null), one.sync[field] ?? null]),
      );
      const [only] = values.values();
      if (values.size === 1 && only !== undefined && only !== null) fields.set(field, only);
      else if (field === 'interval') fields.set(field, shortest(asked));
      else
        for (const one of asked)
          travel.leftOut.push({
            file: one.file,
            line: one.line,
            what: `${one.what}: ${field} ${canonicalJson(one.sync[field] ?? null)}`,
            why: `is asked for by some of ${environment} only; sync of an environment is one for all: decide it in environments/${environment}/environment.yaml`,
          });
    }
    answer.set(environment, Object.fromEntries(fields));
  }
  return answer;
}

function shortest(deliveries: readonly Delivery[]): string {
  const texts = deliveries.flatMap(({ sync }) => (typeof sync['interval'] === 'string' ? [sync['interval']] : []));
  return texts.sort((a, b) => secondsOf(a) - secondsOf(b))[0] ?? '5m';
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

function secondsOf(duration: string): number {
  return [...duration.matchAll(/([0-9]+)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit = 's']) => sum + Number(amount) * (SECONDS[unit] ?? 1),
    0,
  );
}

/** A duration as Go writes it (`1h30m0s`, `90s`), as ours; undefined where it is none. */
export function durationOf(value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || !/^([0-9]+(ms|s|m|h))+$/.test(value)) return undefined;
  return value.replaceAll(/(?<![0-9])0(ms|s|m|h)/g, '') || undefined;
}
