import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';

export type Substituted =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly remedy: string };

const HOLE = /\{\{\s*([^{}]*?)\s*\}\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;

/** Replaces each `{{name}}` of a string in capsule.yaml by the text of a scalar. Nothing else is understood: no helpers, no blocks. */
export function substitute(text: string, variables: JsonObject): Substituted {
  if (!text.includes('{{')) return { ok: true, text };
  let failure: Substituted | undefined;
  const filled = text.replace(HOLE, (_, name: string) => {
    const value = NAME.test(name) ? lookUp(variables, name) : undefined;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    failure ??= {
      ok: false,
      message: `{{${name.slice(0, 80)}}} ${value === undefined ? 'names nothing that is known here' : 'is not a scalar'}`,
      remedy: 'Name a scalar of name, namespace, instance, outputs or config, or use a template file.',
    };
    return '';
  });
  return failure ?? { ok: true, text: filled };
}

function lookUp(variables: JsonObject, name: string): Json | undefined {
  let here: Json | undefined = variables;
  for (const key of name.split('.')) {
    if (isJsonObject(here)) here = Object.hasOwn(here, key) ? here[key] : undefined;
    else if (Array.isArray(here) && /^[0-9]{1,6}$/.test(key)) here = (here as readonly Json[])[Number(key)];
    else return undefined;
  }
  return here;
}
