import type { LeftOut, Luggage, Mapped } from '#model/arrival.ts';
import type { JsonObject } from '#model/json.ts';
import type { Chart } from './charts.ts';
import { chartCapsule, chartsOf, layerOf, readValues } from './charts.ts';
import type { CapsuleDraft, Drafts } from './drafts.ts';
import { nameOf, unused } from './naming.ts';
import { environmentIn, folderOf, isBelow, nameIn } from './paths.ts';
import { environmentsOf } from './stages.ts';
import type { Run } from './stages.ts';

interface Wish {
  readonly namespace: string;
  readonly environment: string;
}

/** Charts with files of values: a capsule for each chart, an environment for each file of values. */
export function fromHelm(luggage: Luggage, wish: Wish): Drafts {
  const leftOut: LeftOut[] = [...luggage.unread];
  const mapped: Mapped[] = [];
  const charts = [...chartsOf(luggage, leftOut).values()];
  const capsules: CapsuleDraft[] = [];
  const runs: Run[] = [];
  const taken = new Set<string>();
  const names = new Set<string>();
  for (const chart of charts) {
    const name = unused(nameOf(chart.name), names);
    names.add(name);
    const values = valuesOf(luggage, chart, charts);
    const capsule = chartCapsule(luggage, chart, name, leftOut);
    capsules.push(capsule);
    mapped.push({ file: chartFile(chart), line: undefined, what: `${capsule.files.size} files`, to: `capsules/${name}` });
    const run = (environment: string, config: JsonObject | undefined): void => {
      runs.push({ environment, instance: name, namespace: wish.namespace, draft: { capsule: name, request: {}, config } });
    };
    for (const path of luggage.files.keys()) if (isBelow(path, chart.folder)) taken.add(path);
    if (values.size === 0) run(wish.environment, undefined);
    for (const [environment, file] of values) {
      taken.add(file);
      const layer = readValues(luggage, file, leftOut);
      if (layer === undefined) continue;
      run(environment, Object.keys(layer).length === 0 ? undefined : layerOf(layer, file, leftOut));
      mapped.push({ file, line: undefined, what: 'values', to: `environments/${environment}/config/${name}.yaml` });
    }
  }
  for (const path of [...luggage.files.keys()].sort()) {
    if (!taken.has(path) && !leftOut.some((one) => one.file === path))
      leftOut.push({ file: path, line: undefined, what: 'a file', why: 'is of no chart, and no file of values' });
  }
  return {
    capsules,
    environments: environmentsOf(runs, {
      comment: (name) => [`What \`helm template\` gave ${luggage.name} for ${name}.`],
      sync: () => ({}),
    }),
    mapped,
    leftOut,
    origins: new Map(),
  };
}

function chartFile(chart: Chart): string {
  return chart.folder === '' ? 'Chart.yaml' : `${chart.folder}/Chart.yaml`;
}

/** Environment -> its file of values. Beside the chart or in it; where there are several charts, the nearest one. */
function valuesOf(luggage: Luggage, chart: Chart, charts: readonly Chart[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of [...luggage.files.keys()].sort()) {
    if (/(?:^|\/)(?:templates|charts|crds)\//.test(path.slice(chart.folder.length)) && isBelow(path, chart.folder)) continue;
    if (ownerOf(path, charts) !== chart) continue;
    const environment = valuesFor(path, chart);
    if (environment !== undefined && !found.has(environment)) found.set(environment, path);
  }
  return found;
}

function ownerOf(path: string, charts: readonly Chart[]): Chart | undefined {
  const inside = charts.filter((chart) => isBelow(path, chart.folder)).sort((a, b) => b.folder.length - a.folder.length);
  return (
    inside[0] ?? charts.find((chart) => path.split('/').includes(nameIn(chart.folder))) ?? (charts.length === 1 ? charts[0] : undefined)
  );
}

/** `values-prod.yaml`, `prod.values.yaml`, `values/prod.yaml`, `prod/values.yaml` -> `prod`; `values.yaml` of the chart is its default. */
function valuesFor(path: string, chart: Chart): string | undefined {
  const [, base] = /([^/]+)\.ya?ml$/.exec(path) ?? [];
  if (base === undefined) return undefined;
  const folder = folderOf(path);
  const [, behind] = /^values[-._](.+)$/i.exec(base) ?? [];
  const [, before] = /^(.+)[-._]values$/i.exec(base) ?? [];
  if (behind !== undefined || before !== undefined) return nameOf(behind ?? before ?? '');
  if (base === 'values') return folder === chart.folder ? undefined : nameOf(environmentIn(folder) ?? nameIn(folder));
  if (nameIn(folder) === 'values') return nameOf(base);
  const environment = environmentIn(`${folder}/${base}`);
  return environment === undefined ? undefined : nameOf(environment);
}
