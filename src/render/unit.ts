import type { JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { KUBERNETES_YAML_LIMITS, readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { Place } from '#model/problem.ts';
import { compareText, placeInFile } from '#model/problem.ts';
import type { RenderedObject, RenderUnit, UnitResult } from '#model/rendering.ts';
import { accepted, refused } from '#model/result.ts';
import { companionsOf } from './companions.ts';
import { checkConfiguration } from './configuration.ts';
import { flagObjects } from './flags.ts';
import { foreignText, isForeign } from './foreign.ts';
import { withHooksAsWaves } from './helm-hooks.ts';
import { hookJob } from './hook-jobs.ts';
import { monitoringObjects } from './monitoring.ts';
import type { RawObject } from './objects.ts';
import { toObjects, unitOf, unpackList } from './objects.ts';
import type { Part } from './part.ts';
import { metadataOf, partsOf } from './part.ts';
import { patched } from './patching.ts';
import type { Preparation } from './preparation.ts';
import type { Scope } from './scope.ts';
import { openScope, report } from './scope.ts';
import { secretObjects } from './secrets.ts';
import { snapshotsOf } from './snapshots.ts';
import { fileText, renderText } from './template.ts';
import { reportUnsupported } from './unsupported.ts';
import type { Role } from './wave.ts';
import { rolesOf, WAVE } from './wave.ts';
import { workloadOf } from './workload.ts';

/** Components first, then template files in the order of their paths. */
export function renderWith(unit: RenderUnit, preparation: Preparation): UnitResult {
  const invalid = checkConfiguration(unit, preparation);
  if (invalid.length > 0) return refused(invalid);
  const scope = openScope(unit, preparation);
  const parts = partsOf(scope);
  reportUnsupported(scope, parts);
  const roles = rolesOf(scope, parts);
  const components = parts.flatMap((part) =>
    componentObjects(scope, part, roles.get(part.componentName) ?? { kind: 'component', wave: 0 }),
  );
  const raws = [...components, ...instanceObjects(scope, parts), ...templateObjects(scope)];
  const unpacked = raws.flatMap(unpackList);
  const before = scope.problems.length;
  const ready = patched(scope, unpacked);
  // What a failure may have left incomplete would give mistakes that nobody made.
  const isWhole = (raw: RawObject): boolean => before === 0 || raw.isWritten === true;
  const whole = scope.problems.length > before ? [] : ready.filter(isWhole);
  const made = toObjects(scope, ready);
  const { instance } = unit.pin;
  if (scope.problems.length === 0)
    return accepted({ ...unitOf(made), instance, objects: made.map(({ object }) => withHealth(scope, object)) });
  const judged = new Set(whole);
  const rest = unitOf(made.filter(({ raw }) => judged.has(raw)));
  return { ...refused(scope.problems), ...(rest.objects.length > 0 ? { made: { ...rest, instance } } : {}) };
}

/** The first expressions that name its API version and kind say how it is. */
function withHealth(scope: Scope, rendered: RenderedObject): RenderedObject {
  const { apiVersion, kind } = rendered.object;
  const found = scope.capsule.spec.health?.expressions?.find((one) => one.apiVersion === apiVersion && one.kind === kind);
  if (found === undefined) return rendered;
  const { current, inProgress, failed } = found;
  const health = {
    ...(current === undefined ? {} : { current }),
    ...(inProgress === undefined ? {} : { inProgress }),
    ...(failed === undefined ? {} : { failed }),
  };
  return { ...rendered, health };
}

function componentObjects(scope: Scope, part: Part, role: Role): readonly RawObject[] {
  if (part.component.kind === 'Manifests') return manifestObjects(scope, part).map((raw) => ({ ...raw, wave: role.wave }));
  if (isForeign(part)) return foreignObjects(scope, part, role);
  const workload = workloadOf(scope, part);
  if (workload === undefined) return [];
  const from = { place: placeInCapsule(scope, part.pointer), source: `component ${part.componentName}` };
  const snapshots = snapshotsOf(scope, part, (name) => metadataOf(scope, part, name));
  const before = snapshots.map((value) => ({ value, ...from, wave: WAVE.beforeHooks }));
  if (role.kind === 'component') {
    return [...before, ...[workload, ...companionsOf(scope, part)].map((value: JsonObject) => ({ value, ...from, wave: role.wave }))];
  }
  // What the Job mounts and runs as has to be there before it.
  const companions = companionsOf(scope, part).map((value) => ({ value, ...from, wave: role.wave - 1 }));
  return [...before, ...companions, { value: hookJob(scope, part, { role, job: workload }), ...from, wave: role.wave }];
}

function placeInCapsule(scope: Scope, pointer: string): Place {
  return { ...placeInFile(`${scope.unit.capsule.directory}/capsule.yaml`), pointer };
}

/** What belongs to the instance as a whole. */
function instanceObjects(scope: Scope, parts: readonly Part[]): readonly RawObject[] {
  const from = (pointer: string, source: string, wave: number): Omit<RawObject, 'value'> => ({
    place: placeInCapsule(scope, pointer),
    source,
    wave,
  });
  return [
    ...secretObjects(scope).map((made) => ({ ...made, ...from('/spec/secrets', 'spec.secrets', WAVE.secrets) })),
    ...monitoringObjects(scope, parts).map((value) => ({ value, ...from('/spec', 'monitoring', 0) })),
    ...flagObjects(scope).map((value) => ({ value, ...from('', 'flags', 0) })),
  ];
}

function manifestObjects(scope: Scope, part: Part): readonly RawObject[] {
  const path = part.component.source?.path;
  const pointer = `${part.pointer}/source/path`;
  const files = path === undefined ? [] : manifestFiles(scope, path.replace(/\/+$/, ''));
  if (files.length === 0) {
    report(scope, pointer, {
      code: 'file-missing',
      rule: 'V-12',
      message: `component ${part.componentName} is Manifests, but ${path ?? 'source.path'} holds no YAML or JSON file`,
      remedy: 'Set source.path to a file or folder of this capsule with *.yaml, *.yml or *.json.',
    });
  }
  return files.flatMap((file) => {
    const text = fileText(scope, file, pointer, KUBERNETES_YAML_LIMITS.bytes);
    return text === undefined ? [] : documents(scope, text, file, `manifest ${file}`);
  });
}

/** What helm or kustomize made of the component's source, treated like raw manifests. */
function foreignObjects(scope: Scope, part: Part, role: Role): readonly RawObject[] {
  const text = foreignText(scope, part);
  if (text === undefined) return [];
  const path = part.component.source?.path ?? '';
  const read = readKubernetesYaml(text, `${scope.unit.capsule.directory}/${path}`);
  if (!read.ok) {
    scope.problems.push(
      ...read.problems.map((problem) => ({
        ...problem,
        place: placeInCapsule(scope, `${part.pointer}/source`),
        message: `output of ${problem.message} at output line ${problem.place.line ?? '?'}`,
      })),
    );
    return [];
  }
  const lines = text.split('\n');
  const raws = read.value
    .filter((document) => !isJsonObject(document.value) || Object.keys(document.value).length > 0)
    .map((document) => ({
      value: document.value,
      place: placeInCapsule(scope, `${part.pointer}/source`),
      source: `component ${part.componentName}${templateAt(lines, document.place.line)}`,
    }))
    .flatMap(unpackList);
  return withHooksAsWaves(scope, part, { raws, wave: role.wave });
}

/** ` (chart/templates/x.yaml)`: helm writes a comment before each document. */
function templateAt(lines: readonly string[], line: number | undefined): string {
  for (let at = (line ?? 0) - 1; at >= 0 && at > (line ?? 0) - 4; at -= 1) {
    const [, path] = /^# Source: ([\w./ -]{1,200})$/.exec(lines[at] ?? '') ?? [];
    if (path !== undefined) return ` (${path})`;
  }
  return '';
}

function manifestFiles(scope: Scope, path: string): readonly string[] {
  const known = [...scope.unit.capsule.files.keys()];
  const found = known.includes(path) ? [path] : known.filter((file) => file.startsWith(`${path}/`) && /\.(ya?ml|json)$/.test(file));
  return found.sort(compareText);
}

function templateObjects(scope: Scope): readonly RawObject[] {
  return templatePaths(scope.unit.capsule.files, scope.capsule.spec.render?.path).flatMap((path) => {
    const text = renderText(scope, path, '/spec/render');
    return text === undefined ? [] : documents(scope, text, path, `template ${path.slice(path.lastIndexOf('/') + 1)}`);
  });
}

/** Template files that give objects; files whose name begins with `_` are partials. */
export function templatePaths(files: ReadonlyMap<string, unknown>, folder = 'templates'): readonly string[] {
  const prefix = `${folder.replace(/\/+$/, '')}/`;
  return [...files.keys()]
    .filter((path) => path.startsWith(prefix) && path.endsWith('.hbs') && !path.slice(path.lastIndexOf('/') + 1).startsWith('_'))
    .sort(compareText);
}

function documents(scope: Scope, text: string, path: string, source: string): readonly RawObject[] {
  const file = `${scope.unit.capsule.directory}/${path}`;
  const read = readKubernetesYaml(text, file);
  if (!read.ok) {
    // Lines are those of the output; a template's own lines differ.
    scope.problems.push(
      ...read.problems.map((problem) =>
        path.endsWith('.hbs')
          ? { ...problem, place: placeInFile(file), message: `output of ${problem.message} at output line ${problem.place.line ?? '?'}` }
          : problem,
      ),
    );
    return [];
  }
  return read.value
    .filter((document) => !isJsonObject(document.value) || Object.keys(document.value).length > 0)
    .map((document) => ({
      value: document.value,
      place: path.endsWith('.hbs') ? placeInFile(file) : document.place,
      source,
      isWritten: true,
    }));
}
