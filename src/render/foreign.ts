import { sha256Of } from '#model/digest.ts';
import type { ForeignAnswer, ForeignRequest } from '#model/foreign.ts';
import { filesBelow, USUAL_TOOLS } from '#model/foreign.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import { visibleText } from '#model/quoted.ts';
import type { RenderUnit } from '#model/rendering.ts';
import { checkKustomization } from './kustomization.ts';
import type { Part } from './part.ts';
import { partsOf } from './part.ts';
import type { Scope } from './scope.ts';
import { configValue, filled, openScope, report } from './scope.ts';
import { fileText } from './template.ts';

/** Charts that ask for the version of the cluster get this one where the target declares none. */
const USUAL_KUBERNETES = '1.35.0';
const EXACT = /^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$/;

/** What foreign programs have to answer before a unit can be rendered, by component. What cannot be asked is reported when it is rendered. */
export function foreignRequestsOf(unit: RenderUnit): ReadonlyMap<string, ForeignRequest> {
  const scope = openScope(unit, { files: unit.capsule.files, compiled: new Map() });
  const requests = new Map<string, ForeignRequest>();
  for (const part of partsOf(scope)) {
    const request = isForeign(part) ? foreignRequest(scope, part) : undefined;
    if (request !== undefined) requests.set(part.componentName, request);
  }
  return requests;
}

export function isForeign(part: Pick<Part, 'component'>): boolean {
  return part.component.kind === 'Helm' || part.component.kind === 'Kustomize';
}

/** The program's answer for a component; undefined, with its problem reported, where there is none. */
export function foreignText(scope: Scope, part: Part): string | undefined {
  const request = foreignRequest(scope, part);
  if (request === undefined) return undefined;
  const answer: ForeignAnswer = scope.unit.foreign?.get(part.componentName) ?? { kind: 'missing', found: 'nothing was asked' };
  const program = `${request.tool} ${request.version}`;
  const refuse = (code: string, message: string, remedy: string): undefined => {
    report(scope, `${part.pointer}/source`, { code, rule: undefined, message: `component ${part.componentName}: ${message}`, remedy });
  };
  switch (answer.kind) {
    case 'rendered':
      return answer.text;
    case 'failed':
      return refuse(
        'tool-failed',
        `${program} refused ${visibleText(request.path)}: ${answer.message}`,
        request.tool === 'helm'
          ? `Correct the chart or its values; dependencies have to lie in its folder charts/ (helm dependency build).`
          : 'Correct the kustomization; `kustomize build` in that folder says the same.',
      );
    case 'limit':
      return refuse('tool-limit', `${program} on ${visibleText(request.path)} ${answer.what}`, 'Make what it renders smaller.');
    case 'missing':
      return refuse('tool-missing', `${program} is needed and not here (${answer.found})`, howToGet(request));
  }
}

function howToGet({ tool, version }: ForeignRequest): string {
  const module = tool === 'helm' ? `helm.sh/helm/v${version.split('.')[0] ?? ''}/cmd/helm` : 'sigs.k8s.io/kustomize/kustomize/v5';
  return `Install ${tool} ${version} (go install ${module}@v${version}) on PATH, or name it in capstan.yaml: tools.${tool}."${version}": { path, sha256 }.`;
}

/** Checks what is declared of a Helm or Kustomize component; pure, so the same before and while the unit is rendered. */
function foreignRequest(scope: Scope, part: Part): ForeignRequest | undefined {
  const { component, pointer } = part;
  const source = component.source ?? {};
  const before = scope.problems.length;
  const version = source.tool;
  const tool = component.kind === 'Helm' ? 'helm' : 'kustomize';
  if (version === undefined || !EXACT.test(version)) {
    report(scope, `${pointer}/source/tool`, {
      code: 'component-incomplete',
      rule: 'V-87',
      message: `component ${part.componentName} is ${component.kind} and source.tool ${version === undefined ? 'is absent' : `is ${visibleText(JSON.stringify(version), 80)}`}`,
      remedy: `Name the exact version of ${tool} that renders it, such as tool: "${USUAL_TOOLS[tool]}": other versions may render other bytes.`,
    });
  }
  // Overlays of one capsule are chosen by configuration; what is put in is looked up among the capsule's files like any other path.
  const path = source.path === undefined ? undefined : filled(scope, source.path, `${pointer}/source/path`).replace(/\/+$/, '');
  const files = path === undefined ? new Map<string, Uint8Array>() : filesBelow(scope.unit.capsule.files, path);
  if (path === undefined) reportNotVendored(scope, part);
  else if (files.size === 0) {
    report(scope, `${pointer}/source/path`, {
      code: 'file-missing',
      rule: 'V-12',
      message: `component ${part.componentName} is ${component.kind}, but ${visibleText(path)} is not in the capsule`,
      remedy: 'Set source.path to a chart or kustomization of this capsule.',
    });
  } else if (tool === 'helm') checkChart(scope, part, { path, files });
  else checkKustomization(scope, part, path);
  if (tool === 'kustomize' && component.values !== undefined) {
    report(scope, `${pointer}/values`, {
      code: 'component-incomplete',
      rule: 'V-87',
      message: `component ${part.componentName} is Kustomize and has values, which only charts take`,
      remedy: 'Take values out; write a patch or a replacement in the kustomization, or a template of the capsule.',
    });
  }
  if (tool === 'kustomize') {
    if (scope.problems.length > before || path === undefined || version === undefined) return undefined;
    return { tool, version, files: scope.unit.capsule.files, path };
  }
  const values = valuesOf(scope, part);
  if (scope.problems.length > before || path === undefined || version === undefined) return undefined;
  return {
    tool,
    version,
    files,
    path,
    name: part.name,
    namespace: scope.namespace,
    values,
    kubernetes: kubernetesOf(scope.unit),
    apiVersions: source.apiVersions ?? [],
  };
}

function reportNotVendored(scope: Scope, part: Part): void {
  const { chart, repo, url, version } = part.component.source ?? {};
  const from = url ?? (repo === undefined ? undefined : `${chart ?? 'CHART'} --repo ${repo}`);
  report(scope, `${part.pointer}/source`, {
    code: 'chart-not-vendored',
    rule: undefined,
    message: `component ${part.componentName} is ${part.component.kind} without source.path: nothing is fetched while rendering`,
    remedy:
      from === undefined
        ? 'Put the chart or kustomization into the capsule and set source.path.'
        : `Run 'helm pull ${visibleText(from, 200)}${version === undefined || url !== undefined ? '' : ` --version ${version}`} --destination ${scope.unit.capsule.directory}/charts', commit the archive, and set source.path and source.sha256.`,
  });
}

/** What the declaration says of a chart is true of the files that lie there. */
function checkChart(
  scope: Scope,
  part: Part,
  { path, files }: { readonly path: string; readonly files: ReadonlyMap<string, Uint8Array> },
): void {
  const source = part.component.source ?? {};
  const archive = files.get(path);
  const differs = (field: string, message: string, remedy: string): void => {
    report(scope, `${part.pointer}/source/${field}`, { code: 'chart-differs', rule: undefined, message, remedy });
  };
  if (archive !== undefined) {
    const digest = sha256Of(archive);
    if (source.sha256 !== digest) {
      const said = source.sha256 === undefined ? 'absent' : `${source.sha256.slice(0, 12)}...`;
      differs(
        'sha256',
        `source.sha256 is ${said} but ${visibleText(path)} has ${digest}`,
        `Write sha256: ${digest} if this is the chart you reviewed.`,
      );
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    const expected = `${source.chart ?? ''}-${source.version ?? ''}.tgz`;
    if (source.chart !== undefined && source.version !== undefined && name !== expected)
      differs('version', `${visibleText(name)} is not ${visibleText(expected)}`, 'Correct chart and version, or the name of the archive.');
    return;
  }
  if (source.sha256 !== undefined)
    differs(
      'sha256',
      `source.sha256 is that of an archive, but ${visibleText(path)} is a folder`,
      'Take sha256 out: a folder is pinned with the capsule.',
    );
  const text = fileText(scope, `${path}/Chart.yaml`, `${part.pointer}/source/path`);
  for (const [field, key] of [
    ['chart', 'name'],
    ['version', 'version'],
  ] as const) {
    const said = source[field];
    const found = text === undefined ? undefined : new RegExp(`^${key}:[ \\t]*["']?([^\\s"'#]+)`, 'm').exec(text)?.[1];
    if (said === undefined || found === undefined || found.replace(/^v/, '') === said.replace(/^v/, '')) continue;
    differs(
      field,
      `source.${field} is ${visibleText(said)} but ${visibleText(path)}/Chart.yaml says ${visibleText(found)}`,
      `Write ${field}: ${visibleText(found)}, or vendor the other chart.`,
    );
  }
}

/** V-53's reading of the declared version: no `v`, no suffix of a vendor. */
function kubernetesOf(unit: RenderUnit): string {
  const said = unit.target.facts['kubernetes'];
  const [, version] = typeof said === 'string' ? (/^v?([0-9]+\.[0-9]+(?:\.[0-9]+)?)/.exec(said) ?? []) : [];
  if (version === undefined) return USUAL_KUBERNETES;
  return version.split('.').length === 2 ? `${version}.0` : version;
}

function valuesOf(scope: Scope, part: Part): JsonObject {
  const { values } = part.component;
  if (values === undefined) return isJsonObject(scope.unit.configuration.value) ? scope.unit.configuration.value : {};
  const resolved = resolve(scope, values, `${part.pointer}/values`);
  return isJsonObject(resolved) ? resolved : {};
}

function resolve(scope: Scope, value: Json, pointer: string): Json {
  if (typeof value === 'string') return filled(scope, value, pointer);
  if (Array.isArray(value)) return value.map((item: Json, at) => resolve(scope, item, `${pointer}/${at}`));
  if (!isJsonObject(value)) return value;
  const { config } = value;
  if (typeof config === 'string' && config.startsWith('/') && Object.keys(value).length === 1) {
    const found = configValue(scope, config);
    if (found !== undefined) return found;
    report(scope, pointer, {
      code: 'config-unset',
      rule: 'V-77',
      message: `${pointer} takes ${visibleText(config)} of the configuration, which has no value`,
      remedy: 'Give the key a default in the schema, or a value in the configuration; or correct its name.',
    });
    return null;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, Json]) => [key, resolve(scope, item, `${pointer}${pointerToken(key)}`)]),
  );
}
