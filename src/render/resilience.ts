import type { JsonObject } from '#model/json.ts';
import { milliseconds } from './amount.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { compact, entriesOf, report, unlessEmpty } from './scope.ts';

/** How callers treat the component, as objects of the mesh that the target declares (fact `mesh`). Without one nobody would honour it. */
export function resilienceOf(scope: Scope, part: Part, metadata: (name: string) => JsonObject): readonly JsonObject[] {
  const { resilience } = part.component;
  if (resilience === undefined || Object.keys(resilience).length === 0) return [];
  const pointer = `${part.pointer}/resilience`;
  const mesh = scope.unit.target.facts['mesh'];
  if (mesh !== 'istio') {
    const declared = typeof mesh === 'string' ? `the mesh ${JSON.stringify(mesh.slice(0, 40))}` : 'no mesh';
    return refused(
      scope,
      pointer,
      `resilience of component ${part.componentName} needs a mesh that can do it; target ${scope.unit.target.name} declares ${declared}`,
    );
  }
  if (!entriesOf(part.component.ports).some(([, port]) => port.expose !== 'none'))
    return refused(scope, pointer, `component ${part.componentName} has resilience, but no port that anybody calls`);
  const { timeout, retries, circuitBreaker } = resilience;
  const outlier = compact({
    baseEjectionTime: istioDuration(milliseconds(scope, circuitBreaker?.ejectFor, `${pointer}/circuitBreaker/ejectFor`)),
    consecutive5xxErrors: circuitBreaker?.consecutiveErrors,
  });
  const calls = compact({
    retries:
      retries === undefined ? undefined : compact({ attempts: retries.attempts ?? 2, retryOn: (retries.on ?? []).join(',') || undefined }),
    timeout: istioDuration(milliseconds(scope, timeout, `${pointer}/timeout`)),
  });
  const objects: JsonObject[] = [];
  if (unlessEmpty(outlier) !== undefined) {
    objects.push({
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: metadata(part.name),
      spec: { host: part.name, trafficPolicy: { outlierDetection: outlier } },
    });
  }
  if (unlessEmpty(calls) !== undefined) {
    objects.push({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: metadata(part.name),
      spec: { hosts: [part.name], http: [{ ...calls, route: [{ destination: { host: part.name } }] }] },
    });
  }
  return objects;
}

function istioDuration(value: number | undefined): string | undefined {
  if (value === undefined) return undefined;
  return value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`;
}

function refused(scope: Scope, pointer: string, message: string): readonly never[] {
  report(scope, pointer, {
    code: 'resilience-impossible',
    rule: undefined,
    message,
    remedy: 'Declare `facts: { mesh: istio }` on targets that have it, or remove the field.',
  });
  return [];
}
