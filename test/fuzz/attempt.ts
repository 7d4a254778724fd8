import { isJsonObject, type Json } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { Problem } from '#model/problem.ts';
import { checkAgainst, compileUserSchema, defaultsOf } from '#model/user-schema.ts';
import { parseYamlText } from '#model/yaml-text.ts';
import { checkCapsuleTemplates, renderUnit } from '#render/render.ts';
import { NO_FACTS, problemsOf, readFiles } from '#test/desired/declarations.ts';
import { unit } from '#test/render/builders.ts';
import type { Fuzzed } from './inputs.ts';

const CONFIG = {
  x: 1,
  list: ['a', { b: true }],
  map: { a: 'b' },
  routes: {},
  links: [{ name: 'a', url: 'b' }],
  theme: 'dark',
  text: '`{{}}`',
};

const PATHS: Readonly<Record<string, string>> = {
  Project: 'environments/project.yaml',
  Environment: 'environments/dev/environment.yaml',
  EnvironmentLock: 'environments/dev/environment.lock.yaml',
  Fleet: 'environments/dev/fleets/one.yaml',
  Device: 'environments/dev/devices/one.yaml',
  Policy: 'policies/one.yaml',
  Capsule: 'capsules/greeter/capsule.yaml',
};

/** Everything a person would be told of one input, by every reader that may meet it. Throws where the readers do. */
export function attempt({ kind, text }: Fuzzed): readonly Pick<Problem, 'code' | 'message' | 'remedy'>[] {
  switch (kind) {
    case 'yaml':
      return [...declarations(text), ...manifests(text)];
    case 'schema':
      return [...declarations(text), ...userSchema(text)];
    case 'template':
      return [...templates(text), ...manifests(text)];
  }
}

function declarations(text: string): readonly Problem[] {
  const kind = /^kind: *["']?(\w+)/m.exec(text)?.[1] ?? '';
  const path = (Object.hasOwn(PATHS, kind) ? PATHS[kind] : undefined) ?? 'capsules/greeter/capsule.yaml';
  const told = problemsOf({ [path]: text }, NO_FACTS);
  const { state } = readFiles({ [path]: text });
  return [...told, ...state.capsules.flatMap((capsule) => checkCapsuleTemplates(capsule))];
}

function manifests(text: string): readonly Problem[] {
  const read = readKubernetesYaml(text, 'manifests/one.yaml');
  return read.ok ? [] : read.problems;
}

/** Any map may stand where a capsule's configuration schema does. */
function userSchema(text: string): readonly Pick<Problem, 'code' | 'message' | 'remedy'>[] {
  const parsed = parseYamlText(new TextEncoder().encode(text), 'config.schema.yaml');
  const value = parsed.ok ? (parsed.value.value as Json) : undefined;
  if (!isJsonObject(value)) return [];
  return subjects(value).flatMap((schema) => {
    const compiled = compileUserSchema(schema);
    const found = compiled.ok ? checkAgainst(compiled.schema, { ...defaultsOf(schema, CONFIG) }) : compiled.mistakes;
    return found.map(({ message }) => ({ code: 'user-schema', message, remedy: '' }));
  });
}

function subjects(value: Json): readonly Readonly<Record<string, Json>>[] {
  if (!isJsonObject(value)) return [];
  return [value, ...Object.values(value).flatMap(subjects)].slice(0, 20);
}

function templates(text: string): readonly Problem[] {
  const rendered = renderUnit(
    unit('components: {}\nconfig: { schema: { type: object, additionalProperties: true, properties: {}, x-open: true } }\n', {
      config: CONFIG,
      files: { 'templates/one.yaml.hbs': text, 'templates/_x.hbs': '{{name}}', 'files/x': text.slice(0, 2000) },
    }),
  );
  return rendered.ok ? [] : rendered.problems;
}
