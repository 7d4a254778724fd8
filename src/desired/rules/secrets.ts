import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { isJsonObject, type Json, pointerToken, valueAt } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { isLiteralSecret, sensitiveLiteral } from '#model/sensitive-value.ts';
import { didYouMean } from '#model/suggest.ts';
import { subschemas } from '#model/user-schema.ts';
import { configSchemaOf, propertyPath } from './schema-hygiene.ts';

/** V-80 of a capsule's own defaults, V-81 of the secrets that it uses; environments are judged when they are resolved. */
export function secretProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => [...defaultProblems(capsule), ...referenceProblems(capsule)]);
}

function defaultProblems(capsule: CapsuleSource): readonly Problem[] {
  const read = configSchemaOf(capsule);
  if (read.kind !== 'read') return [];
  const { config, secrets } = capsule.declared.value.spec;
  const declared = Object.keys(secrets ?? {});
  const { schema } = read;
  return subschemas(schema.schema).flatMap((part) => {
    if (part.schema['x-sensitive'] !== true) return [];
    const keys = propertyPath(part.pointer) ?? [];
    const here = keys.map(pointerToken).join('');
    const own = part.schema['default'];
    const problems: Problem[] = [];
    if (own !== undefined && isLiteral(own, declared)) problems.push(sensitiveLiteral(here, schema.at(`${part.pointer}/default`)));
    const given = keys.length === 0 ? undefined : valueAt(config?.defaults, here);
    if (given !== undefined && isLiteral(given, declared))
      problems.push(sensitiveLiteral(here, capsule.declared.at(`/spec/config/defaults${here}`)));
    return problems;
  });
}

function isLiteral(value: Json, declared: readonly string[]): boolean {
  if (!isJsonObject(value)) return isLiteralSecret(value, '', declared);
  return Object.keys(value).some((key) => isLiteralSecret(value, pointerToken(key), declared));
}

/** V-81: a variable may only name a secret, and a key of it, that the capsule declares. */
function referenceProblems(capsule: CapsuleSource): readonly Problem[] {
  const { components, secrets = {} } = capsule.declared.value.spec;
  const known = Object.keys(secrets);
  const problems: Problem[] = [];
  for (const [component, { env }] of Object.entries(components ?? {})) {
    for (const [variable, { secret, key }] of Object.entries(env ?? {})) {
      if (secret === undefined) continue;
      const pointer = `/spec/components${pointerToken(component)}/env${pointerToken(variable)}`;
      const keys = Object.hasOwn(secrets, secret) ? secrets[secret]?.keys : undefined;
      if (!known.includes(secret)) {
        problems.push(
          problemOf({
            code: 'secret-undeclared',
            rule: 'V-81',
            place: capsule.declared.at(`${pointer}/secret`),
            message: `${capsule.name}.env.${variable} uses secret ${quoted(secret)}, which spec.secrets does not declare${didYouMean(secret, known)}`,
            remedy: known.length === 0 ? 'Declare it below spec.secrets.' : `Declare it, or use one of: ${listed(known)}.`,
          }),
        );
      } else if (key !== undefined && keys !== undefined && keys.length > 0 && !keys.includes(key)) {
        problems.push(
          problemOf({
            code: 'secret-undeclared',
            rule: 'V-81',
            place: capsule.declared.at(`${pointer}/key`),
            message: `${capsule.name}.env.${variable} uses key ${quoted(key)} of secret ${quoted(secret)}, which has no such key${didYouMean(key, keys)}`,
            remedy: `Add it to the keys of the secret, or use one of: ${listed(keys)}.`,
          }),
        );
      }
    }
  }
  return problems;
}
