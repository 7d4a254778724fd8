import type { LeftOut, Luggage } from '#model/arrival.ts';
import { USUAL_TOOLS } from '#model/foreign.ts';
import type { JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { quoted } from '#model/quoted.ts';
import type { CapsuleDraft } from './drafts.ts';
import { folderOf, inside, isBelow, nameIn } from './paths.ts';

/** A chart that lies in the folder, with everything it needs. */
export interface Chart {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
}

/** Every chart of a folder that is not a part of another, by folder; one that would have to fetch its parts is left out. */
export function chartsOf(luggage: Luggage, leftOut: LeftOut[]): ReadonlyMap<string, Chart> {
  const found = new Map<string, Chart>();
  const manifests = [...luggage.files.keys()]
    .filter((path) => nameIn(path) === 'Chart.yaml')
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const file of manifests) {
    const folder = folderOf(file);
    if (/(?:^|\/)charts\/[^/]+$/.test(folder) && luggage.files.has(partOf(folder))) continue;
    const value = readValues(luggage, file, leftOut);
    if (value === undefined) continue;
    const missing = missingParts(luggage, folder, value);
    if (missing.length === 0)
      found.set(folder, { folder, name: jsonText(value['name']) || nameIn(folder), version: jsonText(value['version']) });
    else {
      const why = `needs ${missing.map((name) => quoted(name, 80)).join(', ')} from elsewhere: run \`helm dependency build\` and keep what it puts into charts/`;
      leftOut.push({ file, line: undefined, what: 'a chart', why });
    }
  }
  return found;
}

function partOf(folder: string): string {
  return `${folder.replace(/\/?charts\/[^/]+$/, '')}/Chart.yaml`.replace(/^\//, '');
}

function missingParts(luggage: Luggage, folder: string, chart: JsonObject): readonly string[] {
  const { dependencies } = chart;
  if (!Array.isArray(dependencies)) return [];
  const below = folder === '' ? 'charts/' : `${folder}/charts/`;
  return dependencies.flatMap((one) => {
    const name = isJsonObject(one) ? jsonText(one['name']) : '';
    const isHere = [...luggage.files.keys()].some((path) => path.startsWith(`${below}${name}/`) || path.startsWith(`${below}${name}-`));
    return isHere ? [] : [name];
  });
}

/** A file of values (or of a chart) as a map; undefined, and left out, when it is none. */
export function readValues(luggage: Luggage, file: string, leftOut: LeftOut[]): JsonObject | undefined {
  const bytes = luggage.files.get(file);
  if (bytes === undefined) return undefined;
  const read = readKubernetesYaml(new TextDecoder().decode(bytes), file);
  const [problem] = read.ok ? [] : read.problems;
  if (problem !== undefined) {
    leftOut.push({ file, line: problem.place.line, what: 'a file', why: problem.message.slice(file.length + 1) });
    return undefined;
  }
  const value = read.ok ? (read.value[0]?.value ?? {}) : {};
  if (isJsonObject(value)) return value;
  leftOut.push({ file, line: 1, what: 'a file', why: 'is not a map' });
  return undefined;
}

/** Values as a configuration layer: `null` deletes a default of the chart for Helm, which layers of a configuration cannot. */
export function layerOf(values: JsonObject, file: string, leftOut: LeftOut[]): JsonObject {
  const withoutNulls = (value: JsonObject, path: string): JsonObject =>
    Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => {
        if (item !== null) return [[key, isJsonObject(item) ? withoutNulls(item, `${path}${key}.`) : item]];
        leftOut.push({
          file,
          line: undefined,
          what: `${path}${key}: null`,
          why: 'deletes a default of the chart: write the value that it should have, or take the default out of the chart',
        });
        return [];
      }),
    );
  return withoutNulls(values, '');
}

/** The chart as a capsule; its values are the capsule's configuration, whatever they are. */
export function chartCapsule(luggage: Luggage, chart: Chart, name: string, leftOut: LeftOut[]): CapsuleDraft {
  const files = new Map<string, Uint8Array>();
  for (const [path, bytes] of luggage.files) {
    if (isBelow(path, chart.folder)) files.set(`files/${inside(chart.folder, path)}`, bytes);
  }
  const skipHooks = hooksLeftOut(luggage, chart, leftOut);
  return {
    name,
    description: `The chart ${chart.name} ${chart.version}, as it was.`,
    spec: {
      type: 'service',
      components: {
        chart: { kind: 'Helm', source: { path: 'files', tool: USUAL_TOOLS.helm, ...(skipHooks.length === 0 ? {} : { skipHooks }) } },
      },
      config: { schema: { type: 'object', 'x-open': true } },
    },
    files,
  };
}

/** Hooks of moments that only Helm knows: removing a release and rolling it back. */
function hooksLeftOut(luggage: Luggage, chart: Chart, leftOut: LeftOut[]): readonly string[] {
  const found = new Set<string>();
  for (const [path, bytes] of luggage.files) {
    if (!isBelow(path, chart.folder) || !inside(chart.folder, path).includes('templates/')) continue;
    for (const [at, line] of Buffer.from(bytes).toString('utf8').split('\n').entries()) {
      if (!line.includes('helm.sh/hook') || line.includes('helm.sh/hook-')) continue;
      for (const [hook] of line.matchAll(/\b(?:pre|post)-(?:delete|rollback)\b/g)) {
        found.add(hook);
        leftOut.push({ file: path, line: at + 1, what: `hook ${hook}`, why: 'is a moment that only Helm knows: nothing is run then' });
      }
    }
  }
  return [...found].sort();
}
