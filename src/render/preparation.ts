import type { Expression } from '#model/expression.ts';
import { compileExpression } from '#model/expression.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import type { RenderUnit } from '#model/rendering.ts';
import { compileUserSchema, subschemas } from '#model/user-schema.ts';
import type { UserSchema } from '#model/user-schema.ts';
import type { TemplateSet } from './template.ts';
import { textOf } from './template.ts';

/** A capsule's content made ready to be rendered many times. */
export interface Preparation extends TemplateSet {
  readonly schema: SchemaReading;
  /** In the order of spec.config.assertions. */
  readonly assertions: readonly PreparedAssertion[];
}

export type SchemaReading =
  | { readonly kind: 'none' }
  /** `isSensitive`: some of its values are marked `x-sensitive`. */
  | { readonly kind: 'schema'; readonly schema: UserSchema; readonly isSensitive: boolean }
  | { readonly kind: 'broken'; readonly file: string; readonly message: string };

export interface PreparedAssertion {
  readonly message: string;
  readonly expression: Expression | undefined;
  /** Why there is no expression. */
  readonly mistake: string | undefined;
}

export function prepare(capsule: RenderUnit['capsule']): Preparation {
  const assertions = (capsule.declaration.spec.config?.assertions ?? []).map((assertion): PreparedAssertion => {
    const compiled = compileExpression(assertion.expression, ['config']);
    return compiled.ok
      ? { message: assertion.message, expression: compiled.value, mistake: undefined }
      : { message: assertion.message, expression: undefined, mistake: compiled.message };
  });
  return { files: capsule.files, compiled: new Map(), schema: schemaOf(capsule), assertions };
}

function schemaOf(capsule: RenderUnit['capsule']): SchemaReading {
  const file = `${capsule.directory}/capsule.yaml`;
  const declared = capsule.declaration.spec.config?.schema;
  if (declared === undefined) return { kind: 'none' };
  if (typeof declared !== 'string') return compiledSchema(declared, file);
  const path = `${capsule.directory}/${declared}`;
  const schema = configurationSchema(capsule.declaration, capsule.files);
  return schema === undefined ? { kind: 'broken', file: path, message: 'it is not a JSON object' } : compiledSchema(schema, path);
}

function compiledSchema(schema: JsonObject, file: string): SchemaReading {
  const compiled = compileUserSchema(schema);
  if (compiled.ok) {
    const isSensitive = subschemas(schema).some((part) => part.schema['x-sensitive'] === true);
    return { kind: 'schema', schema: compiled.schema, isSensitive };
  }
  const [mistake] = compiled.mistakes;
  return { kind: 'broken', file, message: `${mistake?.pointer ?? ''} ${mistake?.message ?? 'it does not compile'}`.trim() };
}

/** The configuration schema as declared, inline or in a file; undefined when there is none or it is not a JSON object. */
export function configurationSchema(
  declaration: RenderUnit['capsule']['declaration'],
  files: ReadonlyMap<string, Uint8Array>,
): JsonObject | undefined {
  const declared = declaration.spec.config?.schema;
  if (typeof declared !== 'string') return declared;
  const text = textOf(files.get(declared));
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
