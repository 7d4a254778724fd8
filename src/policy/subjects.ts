import type { DesiredEnvironment } from '#model/desired.ts';
import type { JsonObject } from '#model/json.ts';

/** `environment` in expressions. */
export function environmentInput(environment: DesiredEnvironment): JsonObject {
  const { metadata, spec } = environment.declared.value;
  return {
    name: environment.name,
    labels: metadata.labels ?? {},
    risk: spec.risk ?? 'low',
    ...(spec.dataClassification === undefined ? {} : { dataClassification: spec.dataClassification }),
  };
}
