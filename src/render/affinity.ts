import type { CapsuleComponent } from '#model/declarations.generated.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import { compact, entriesOf, unlessEmpty } from './scope.ts';

const NODE_LABEL: ReadonlyMap<string, string> = new Map([
  ['arch', 'kubernetes.io/arch'],
  ['os', 'kubernetes.io/os'],
]);

/** Facts that every node labels with (arch, os) become node affinity; the others choose targets, not nodes. */
export function affinityOf(component: CapsuleComponent): JsonObject | undefined {
  const required = nodeExpressions(component.placement?.requires);
  const preferred = nodeExpressions(component.placement?.prefers);
  if (required.length + preferred.length === 0) return undefined;
  return {
    nodeAffinity: compact({
      preferredDuringSchedulingIgnoredDuringExecution: unlessEmpty(
        preferred.map((one) => ({ preference: { matchExpressions: [one] }, weight: 50 })),
      ),
      requiredDuringSchedulingIgnoredDuringExecution:
        required.length === 0 ? undefined : { nodeSelectorTerms: [{ matchExpressions: required }] },
    }),
  };
}

function nodeExpressions(facts: Readonly<Record<string, Json>> | undefined): readonly JsonObject[] {
  return entriesOf(facts).flatMap(([fact, wanted]) => {
    const key = NODE_LABEL.get(fact);
    const values = Array.isArray(wanted) ? wanted : [wanted];
    return key === undefined ? [] : [{ key, operator: 'In', values: values.map(String).sort(compareText) }];
  });
}
