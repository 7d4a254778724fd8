import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { compileExpression } from '#model/expression.ts';
import { isJsonObject, type JsonObject, pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';
import { configSchemaOf } from './schema-hygiene.ts';

/** What `when` of a dependency or a child sees. */
const INPUTS: ReadonlyMap<string, string> = new Map([
  ['config', 'dyn'],
  ['environment', 'dyn'],
  ['environment.name', 'string'],
  ['environment.risk', 'string'],
]);
const ROOTS = ['config', 'environment'];

/** Where a version is chosen, a `when` without an answer counts as true, so that nothing is left out by mistake: here the mistake is told. */
export function conditionProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => {
    const { dependencies = {}, instances = {} } = capsule.declared.value.spec;
    const all = [
      ...Object.entries(dependencies).map(([name, { when }]) => ({ pointer: `/spec/dependencies${pointerToken(name)}/when`, when })),
      ...Object.entries(instances).map(([name, { when }]) => ({ pointer: `/spec/instances${pointerToken(name)}/when`, when })),
    ];
    return all.flatMap(({ pointer, when }): readonly Problem[] => {
      const mistake = (when ?? undefined) === undefined ? undefined : mistakeIn(String(when), capsule);
      if (mistake === undefined) return [];
      return [
        problemOf({
          code: 'expression-failed',
          place: capsule.declared.at(pointer),
          message: `when: ${mistake}`,
          remedy: 'Write a CEL expression over config and environment (name, risk) that gives true or false.',
        }),
      ];
    });
  });
}

function mistakeIn(when: string, capsule: CapsuleSource): string | undefined {
  const compiled = compileExpression(when, ROOTS);
  if (!compiled.ok) return compiled.message;
  const type = compiled.value.typeWith(INPUTS);
  if (!type.ok) return type.message;
  if (type.value !== 'bool' && type.value !== 'dyn') return `it gives a ${type.value}, and a bool is wanted`;
  return undeclaredField(when, capsule);
}

/** A field that the capsule's closed schema does not have, so that no environment can give it. */
function undeclaredField(when: string, capsule: CapsuleSource): string | undefined {
  const read = configSchemaOf(capsule);
  const fields = read.kind === 'read' ? fieldsOf(read.schema.schema) : undefined;
  if (fields === undefined) return undefined;
  const texts = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gu;
  const named = [...when.replaceAll(texts, '""').matchAll(/(?<![\w.])config\.([A-Za-z_]\w*)/gu)].map((match) => match[1] ?? '');
  const unknown = named.find((name) => name !== 'global' && !Object.hasOwn(fields, name));
  return unknown === undefined ? undefined : `the configuration of ${capsule.name} has no ${quoted(unknown)}`;
}

function fieldsOf(schema: JsonObject): JsonObject | undefined {
  const isClosed = schema['additionalProperties'] === false && Object.keys(schema).every((key) => !OPENING.has(key));
  const { properties = {} } = schema;
  return isClosed && isJsonObject(properties) ? properties : undefined;
}

const OPENING: ReadonlySet<string> = new Set(['patternProperties', 'allOf', 'anyOf', 'oneOf', '$ref', '$dynamicRef']);
