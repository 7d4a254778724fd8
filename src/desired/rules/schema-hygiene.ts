import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { type SchemaFinding, shownValue } from '#model/json-schema.ts';
import { isJsonObject, type Json, type JsonObject, pointerKeys, pointerToken } from '#model/json.ts';
import { type Place, placeInFile, type Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { checkAgainst, compileUserSchema, subschemas, type UserSchema } from '#model/user-schema.ts';
import { parseYamlText } from '#model/yaml-text.ts';

/** A capsule's configuration schema with the way to its text. */
export interface ConfigSchema {
  readonly schema: JsonObject;
  at(pointer: string): Place;
}

/** V-82: configuration schemas are closed, compile, refer to nothing outside, match in linear time, and their defaults obey them. */
export function schemaProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => {
    const known = judged.get(capsule);
    if (known !== undefined) return known;
    const read = configSchemaOf(capsule);
    const problems = read.kind === 'none' ? [] : read.kind === 'unreadable' ? read.problems : hygieneProblems(read.schema);
    judged.set(capsule, problems);
    return problems;
  });
}

/** A capsule says the same as long as it is the same. */
const judged = new WeakMap<CapsuleSource, readonly Problem[]>();

type ReadSchema =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }
  | { readonly kind: 'read'; readonly schema: ConfigSchema };

/** The schema inline or in its file (JSON, read as the YAML it also is, so that places are known); a missing file is V-12's. */
export function configSchemaOf(capsule: CapsuleSource): ReadSchema {
  const declared = capsule.declared.value.spec.config?.schema;
  if (declared === undefined) return { kind: 'none' };
  if (typeof declared !== 'string') {
    return { kind: 'read', schema: { schema: declared, at: (pointer) => capsule.declared.at(`/spec/config/schema${pointer}`) } };
  }
  const bytes = capsule.contents.get(declared);
  if (bytes === undefined) return { kind: 'none' };
  const file = visibleText(`${capsule.directory}/${declared}`, 300);
  const json = isJsonText(bytes);
  const parsed = parseYamlText(bytes, file);
  if (!json || !parsed.ok || !isJsonObject(parsed.value.value)) {
    const place = parsed.ok ? placeInFile(file) : (parsed.problems[0]?.place ?? placeInFile(file));
    return {
      kind: 'unreadable',
      problems: [
        problemOf({
          code: 'schema-not-json',
          rule: 'V-82',
          place,
          message: `${file} is not a JSON Schema: it must be one JSON object`,
          remedy: 'Mend the JSON at this place.',
        }),
      ],
    };
  }
  const text = parsed.value;
  return { kind: 'read', schema: { schema: isJsonObject(text.value) ? text.value : {}, at: (pointer) => text.at(pointer) } };
}

function isJsonText(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function hygieneProblems(config: ConfigSchema): readonly Problem[] {
  const compiled = compileUserSchema(config.schema);
  const problems = compiled.ok
    ? []
    : compiled.mistakes.map((mistake) => hygieneProblem(config.at(mistake.pointer), mistake.message, 'Correct the schema at this place.'));
  for (const { pointer, schema } of subschemas(config.schema)) {
    if (isOpen(schema)) {
      const what = pointer === '' ? 'the configuration schema' : visibleText(pointer);
      problems.push(
        hygieneProblem(
          config.at(pointer),
          `${what} allows unknown keys`,
          'Add additionalProperties: false, a schema for the values of a map, or x-open: true.',
        ),
      );
    }
    if (compiled.ok) problems.push(...defaultProblems(config, compiled.schema, { pointer, schema }));
  }
  return problems;
}

interface SchemaPart {
  readonly pointer: string;
  readonly schema: JsonObject;
}

/** An object schema must say what else may be in it. */
function isOpen(schema: JsonObject): boolean {
  const object =
    schema['type'] === 'object' ||
    (Array.isArray(schema['type']) && schema['type'].includes('object')) ||
    schema['properties'] !== undefined;
  if (!object || schema['x-open'] === true || schema['unevaluatedProperties'] === false) return false;
  const rest: Json | undefined = schema['additionalProperties'];
  return rest === undefined || rest === true;
}

function defaultProblems(config: ConfigSchema, root: UserSchema, part: SchemaPart): readonly Problem[] {
  const value = part.schema['default'];
  const findings = value === undefined ? [] : judgeDefault(root, part, value);
  if (findings.length === 0) return [];
  const message = `default ${shownValue(value)} of ${visibleText(part.pointer)} does not satisfy its own schema: ${findings.map((finding) => finding.message).join('; ')}`;
  return [hygieneProblem(config.at(`${part.pointer}/default`), message, 'Correct the default, or the schema.')];
}

/** A default of a property is judged in its place in the whole schema (compiled once); one that stands elsewhere by its own part. */
function judgeDefault(root: UserSchema, part: SchemaPart, value: Json): readonly SchemaFinding[] {
  const keys = propertyPath(part.pointer);
  if (keys !== undefined) {
    const here = keys.map(pointerToken).join('');
    const whole = keys.reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
    return checkAgainst(root, whole).filter((finding) => finding.pointer === here || finding.pointer.startsWith(`${here}/`));
  }
  const definitions = root.schema['$defs'];
  const compiled = compileUserSchema(definitions === undefined ? part.schema : { ...part.schema, $defs: definitions });
  return compiled.ok ? checkAgainst(compiled.schema, value, 'the default') : [];
}

/** `/properties/cache/properties/size` -> cache, size; undefined for a schema that is no property of properties. */
export function propertyPath(pointer: string): readonly string[] | undefined {
  const tokens = pointerKeys(pointer);
  if (tokens.length === 0 || tokens.some((token, index) => index % 2 === 0 && token !== 'properties')) return undefined;
  return tokens.length % 2 === 0 ? tokens.filter((_, index) => index % 2 === 1) : undefined;
}

function hygieneProblem(place: Place, message: string, remedy: string): Problem {
  return problemOf({ code: 'schema-hygiene', rule: 'V-82', place, message, remedy });
}
