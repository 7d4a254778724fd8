import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { compareText, placeInFile } from '#model/problem.ts';
import { metadataOfInstance } from './part.ts';
import type { Scope } from './scope.ts';
import { problemAt } from './scope.ts';
import { fileText } from './template.ts';

/** The files below `flags/` (definitions as flagd reads them, flagd.dev) as one ConfigMap `<instance>-flags`. */
export function flagObjects(scope: Scope): readonly JsonObject[] {
  const paths = [...scope.unit.capsule.files.keys()].filter((path) => /^flags\/[^/]+\.(json|ya?ml)$/.test(path)).sort(compareText);
  if (paths.length === 0) return [];
  const data: Record<string, string> = {};
  for (const path of paths) {
    const text = fileText(scope, path, '');
    if (text === undefined) continue;
    const file = `${scope.unit.capsule.directory}/${path}`;
    const read = readKubernetesYaml(text, file);
    if (!read.ok) {
      scope.problems.push(...read.problems);
      continue;
    }
    const [document, ...more] = read.value;
    const mistake = more.length > 0 ? 'holds more than one document' : mistakeIn(document?.value);
    if (mistake === undefined) data[path.slice('flags/'.length)] = text;
    else {
      scope.problems.push(
        problemAt(placeInFile(file), {
          code: 'flags-invalid',
          rule: undefined,
          message: `${path} of ${scope.unit.pin.capsule} ${mistake}`,
          remedy: 'Give each flag a state (ENABLED or DISABLED), its variants, and a defaultVariant that is one of them.',
        }),
      );
    }
  }
  return [{ apiVersion: 'v1', data, kind: 'ConfigMap', metadata: metadataOfInstance(scope, `${scope.name}-flags`) }];
}

function mistakeIn(document: Json | undefined): string | undefined {
  const flags = isJsonObject(document) ? document['flags'] : undefined;
  if (!isJsonObject(flags)) return 'has no map `flags`';
  for (const [name, flag] of Object.entries(flags).sort(([a], [b]) => compareText(a, b))) {
    const mistake = mistakeOf(flag);
    if (mistake !== undefined) return `does not define flag ${JSON.stringify(name.slice(0, 80))}: it ${mistake}`;
  }
  return undefined;
}

function mistakeOf(flag: Json): string | undefined {
  if (!isJsonObject(flag)) return 'is not a map';
  const { state, variants, defaultVariant } = flag;
  if (state !== 'ENABLED' && state !== 'DISABLED') return 'needs a state, ENABLED or DISABLED';
  if (!isJsonObject(variants) || Object.keys(variants).length === 0) return 'has no variants';
  if (typeof defaultVariant !== 'string' || !Object.hasOwn(variants, defaultVariant))
    return `has a defaultVariant that is none of its variants (${Object.keys(variants).sort().join(', ')})`;
  const kinds = new Set(Object.values(variants).map((value) => typeof value));
  return kinds.size > 1 ? `has variants of several types (${[...kinds].sort().join(', ')})` : undefined;
}
