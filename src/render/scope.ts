import type { Capsule } from '#model/declarations.generated.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, valueAt } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { compareText } from '#model/problem.ts';
import type { RenderUnit } from '#model/rendering.ts';
import { substitute } from './substitution.ts';
import type { TemplateSet } from './template.ts';

/** One unit while it is rendered: what templates and wiring may see, and the problems found so far. */
export interface Scope {
  readonly unit: RenderUnit;
  readonly capsule: Capsule;
  /** The instance as part of object names: `.` of private instances is `-`. */
  readonly name: string;
  readonly namespace: string;
  /** Everything a template may name. */
  readonly variables: JsonObject;
  readonly templates: TemplateSet;
  readonly problems: Problem[];
}

export function openScope(unit: RenderUnit, templates: TemplateSet): Scope {
  const capsule = unit.capsule.declaration;
  const name = objectNameOf(unit.pin.instance);
  const { target } = unit;
  const facts: JsonObject = {
    name,
    instance: unit.pin.instance,
    capsule: unit.pin.capsule,
    version: unit.pin.version,
    namespace: target.namespace,
    environment: target.environment,
    config: unit.configuration.value,
  };
  const variables: JsonObject = {
    ...facts,
    target: { name: target.name, driver: target.driver, labels: target.labels, facts: target.facts },
    capabilities: unit.capabilities,
    dependencies: Object.fromEntries(
      Object.entries(unit.dependencies).map(([key, one]) => [key, { instance: one.instance, outputs: one.outputs }]),
    ),
    outputs: providedOutputs(capsule, facts),
  };
  return { unit, capsule, name, namespace: target.namespace, variables, templates, problems: [] };
}

export function objectNameOf(instance: string): string {
  return instance.replaceAll('.', '-');
}

/** provide -> output -> text, substituted from `facts`; what cannot be substituted is left out here and reported where it is declared. */
export function providedOutputs(capsule: Capsule, facts: JsonObject): JsonObject {
  const provided: Record<string, JsonObject> = {};
  for (const [provide, value] of entriesOf(capsule.spec.provides)) {
    const outputs: Record<string, Json> = {};
    for (const [output, text] of entriesOf(value.outputs)) {
      const filled = substitute(text, facts);
      if (filled.ok) outputs[output] = filled.text;
    }
    provided[provide] = outputs;
  }
  return provided;
}

/** A value of the configuration by JSON pointer (`/cache/size`) or dotted name (`cache.size`). */
export function configValue(scope: Scope, name: string): Json | undefined {
  return valueAt(
    scope.unit.configuration.value,
    name.startsWith('/')
      ? name
      : name
          .split('.')
          .map((key) => `/${key}`)
          .join(''),
  );
}

/** Plain substitution in a string of capsule.yaml; a problem at `pointer` when a name has no scalar value. */
export function filled(scope: Scope, text: string, pointer: string): string {
  const result = substitute(text, scope.variables);
  if (result.ok) return result.text;
  report(scope, pointer, { code: 'substitution-unknown', rule: undefined, message: result.message, remedy: result.remedy });
  return text;
}

export interface Finding {
  readonly code: string;
  readonly rule: string | undefined;
  readonly message: string;
  readonly remedy: string;
}

/** Adds a problem at a pointer of the capsule's declaration. */
export function report(scope: Scope, pointer: string, finding: Finding): void {
  const file = `${scope.unit.capsule.directory}/capsule.yaml`;
  scope.problems.push(problemAt({ file, line: undefined, column: undefined, pointer }, finding));
}

/** The same at a pointer of the environment that wants the instance. */
export function reportWish(scope: Scope, pointer: string, finding: Finding): void {
  scope.problems.push(problemAt({ file: scope.unit.wishes.file, line: undefined, column: undefined, pointer }, finding));
}

export function problemAt(place: Place, finding: Finding): Problem {
  return { ...finding, severity: 'error', phase: 'render', place, related: [] };
}

/** An object without its undefined members. */
export function compact(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  const object: Record<string, Json> = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined) object[key] = value;
  return object;
}

/** Undefined instead of an empty list or map. */
export function unlessEmpty<T extends Json>(value: T): T | undefined {
  const empty = Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
  return empty ? undefined : value;
}

/** Entries by name in code unit order: the order of everything that is emitted. */
export function entriesOf<T>(map: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[] {
  return Object.entries(map ?? {}).sort(([a], [b]) => compareText(a, b));
}
