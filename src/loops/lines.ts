import type { CapsuleSource, DesiredState } from '#model/desired.ts';
import { placeInFile } from '#model/problem.ts';
import type { Place, Problem } from '#model/problem.ts';
import { parseYamlText } from '#model/yaml-text.ts';

/** What knows the lines of a file. */
export interface Lines {
  readonly file: string;
  at(pointer: string): Place;
}

export function declaredIn(state: DesiredState): readonly Lines[] {
  return [
    ...state.capsules.map((capsule) => capsule.declared),
    ...state.environments.flatMap((environment) => [environment.declared, ...(environment.lock === undefined ? [] : [environment.lock])]),
  ];
}

/** Chapters that work on values alone name a file and a pointer; here they get their line and column. */
export function withLines(problems: readonly Problem[], files: readonly Lines[]): readonly Problem[] {
  const known = new Map(files.map((lines) => [lines.file, lines]));
  return problems.map((problem) => {
    const { file, line, pointer } = problem.place;
    const lines = file === undefined || line !== undefined || pointer === undefined ? undefined : known.get(file);
    return lines === undefined || pointer === undefined ? problem : { ...problem, place: { ...lines.at(pointer), pointer } };
  });
}

/** The lines of a capsule's configuration schema, where that is a file: every JSON text is YAML. */
export function schemaLines({ declared, own, contents, directory }: CapsuleSource): readonly Lines[] {
  const path = (own ?? declared).value.spec.config?.schema;
  const bytes = typeof path === 'string' ? contents.get(path) : undefined;
  if (typeof path !== 'string' || bytes === undefined) return [];
  const file = `${directory}/${path}`;
  // Hardly anybody asks where something stands.
  let parsed: ReturnType<typeof parseYamlText> | undefined;
  const at = (pointer: string): Place => {
    parsed ??= parseYamlText(bytes, file);
    return parsed.ok ? parsed.value.at(pointer) : placeInFile(file);
  };
  return [{ file, at }];
}
