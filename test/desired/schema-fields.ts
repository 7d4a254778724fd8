import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';

/** Every field of a schema as a pointer; `*` for names and indexes. */
export function fieldsOf(root: JsonObject): ReadonlySet<string> {
  const out = new Set<string>();
  const visit = (schema: Json | undefined, pointer: string, open: readonly string[]): void => {
    if (!isJsonObject(schema)) return;
    let here = schema;
    let seen = open;
    const reference = schema['$ref'];
    if (typeof reference === 'string') {
      if (open.includes(reference)) return;
      seen = [...open, reference];
      const definitions = root['$defs'];
      const target = isJsonObject(definitions) ? definitions[reference.slice('#/$defs/'.length)] : undefined;
      if (!isJsonObject(target)) throw new Error(`no ${reference}`);
      here = target;
    }
    const alternatives = here['anyOf'];
    if (Array.isArray(alternatives)) for (const alternative of alternatives) visit(alternative, pointer, seen);
    for (const [name, field] of Object.entries(isJsonObject(here['properties']) ? here['properties'] : {})) {
      out.add(`${pointer}/${name}`);
      visit(field, `${pointer}/${name}`, seen);
    }
    visit(here['additionalProperties'], `${pointer}/*`, seen);
    visit(here['items'], `${pointer}/*`, seen);
  };
  visit(root, '', []);
  return out;
}

/** Whether an entry of the table speaks of a field; `/**` speaks of everything below, too. */
export function covers(entry: string, field: string): boolean {
  return entry.endsWith('/**') ? field === entry.slice(0, -3) || field.startsWith(entry.slice(0, -2)) : field === entry;
}
