import type { JsonObject } from '#model/json.ts';
import { isJsonObject, pointerKeys } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { placeInFile } from '#model/problem.ts';
import type { RenderUnit } from '#model/rendering.ts';
import { isLiteralSecret, sensitiveLiteral } from '#model/sensitive-value.ts';
import { checkAgainst } from '#model/user-schema.ts';
import type { Preparation } from './preparation.ts';
import type { Shape } from './template-shape.ts';
import { memberShapes } from './template-shape.ts';

/** V-77: the merged configuration obeys the capsule's schema and assertions. Places are those of the layers that set the values. */
export function checkConfiguration(unit: RenderUnit, preparation: Preparation): readonly Problem[] {
  const { schema } = preparation;
  if (schema.kind === 'broken') {
    const message = `the configuration schema of ${unit.pin.capsule} ${unit.pin.version} cannot be used: ${schema.message}`;
    return [
      { ...problem(unit, message, 'Correct the schema.'), code: 'config-schema-invalid', rule: 'V-82', place: placeInFile(schema.file) },
    ];
  }
  const findings = schema.kind === 'none' ? [] : checkAgainst(schema.schema, unit.configuration.value);
  const wrong = findings.map((finding): Problem => {
    const place = placeOf(unit, finding.pointer);
    if (schema.kind === 'schema' && isSensitive(schema.schema.schema, finding.pointer)) {
      const message = withOrigin(`${finding.pointer} does not obey its schema (its value is not shown)`, place);
      return { ...problem(unit, message, 'Keep the value out of git: use a secret.'), place: { ...place, pointer: finding.pointer } };
    }
    return { ...problem(unit, withOrigin(finding.message, place), finding.remedy), place: { ...place, pointer: finding.pointer } };
  });
  wrong.push(...literalSecrets(unit, preparation));
  // Assertions may rely on what the schema promises.
  return wrong.length > 0 ? wrong : failedAssertions(unit, preparation);
}

/** V-80: what is sensitive stands in git only as a reference to a declared secret. */
function literalSecrets(unit: RenderUnit, { schema }: Preparation): readonly Problem[] {
  if (schema.kind !== 'schema' || !schema.isSensitive) return [];
  const { value, origins } = unit.configuration;
  const declared = Object.keys(unit.capsule.declaration.spec.secrets ?? {});
  return [...origins].flatMap(([pointer, place]) =>
    isSensitive(schema.schema.schema, pointer) && isLiteralSecret(value, pointer, declared) ? [sensitiveLiteral(pointer, place)] : [],
  );
}

/** A value under `x-sensitive` never enters a problem. */
function isSensitive(schema: JsonObject, pointer: string): boolean {
  let shapes: readonly Shape[] = [{ root: schema, schema }];
  for (const key of pointerKeys(pointer)) {
    shapes = shapes.flatMap((shape) => memberShapes(shape, key)).slice(0, 50);
    if (shapes.some((shape) => isJsonObject(shape.schema) && shape.schema['x-sensitive'] === true)) return true;
  }
  return false;
}

function failedAssertions(unit: RenderUnit, preparation: Preparation): readonly Problem[] {
  return preparation.assertions.flatMap((assertion, at) => {
    const place = { ...placeInFile(`${unit.capsule.directory}/capsule.yaml`), pointer: `/spec/config/assertions/${at}` };
    const answer = assertion.expression?.evaluate({ config: unit.configuration.value }) ?? {
      ok: false as const,
      message: assertion.mistake ?? '',
    };
    if (answer.ok && answer.value === true) return [];
    const reason = answer.ok ? assertion.message : `${assertion.message} (the assertion could not be evaluated: ${answer.message})`;
    return [{ ...problem(unit, reason, 'Change the configuration so that the assertion holds.'), code: 'config-assertion-failed', place }];
  });
}

/** `/replicas must be ≤ 20 (value 50)` -> `... (value 50 from environments/prod/environment.yaml:31)`. */
function withOrigin(message: string, place: Place): string {
  if (place.file === undefined) return message;
  const origin = place.line === undefined ? place.file : `${place.file}:${place.line}`;
  return message.endsWith(')') ? `${message.slice(0, -1)} from ${origin})` : `${message} (from ${origin})`;
}

/** The layer that set the value, else one that set something in it, else one that set something beside it. */
function placeOf(unit: RenderUnit, pointer: string): Place {
  const { origins } = unit.configuration;
  for (let above = pointer; ; above = above.slice(0, above.lastIndexOf('/'))) {
    const exact = origins.get(above);
    if (exact !== undefined) return exact;
    for (const [leaf, place] of origins) if (leaf.startsWith(`${above}/`)) return place;
    if (above === '') return placeInFile(`${unit.capsule.directory}/capsule.yaml`);
  }
}

function problem(unit: RenderUnit, message: string, remedy: string): Problem {
  const { target, pin } = unit;
  return {
    code: 'config-invalid',
    rule: 'V-77',
    severity: 'error',
    phase: 'render',
    message: `${target.environment}/${target.name} ${pin.instance}: ${message}`,
    remedy,
    place: placeInFile(`${unit.capsule.directory}/capsule.yaml`),
    related: [],
  };
}
