import type { JsonObject } from '#model/json.ts';
import type { Part } from './part.ts';
import { metadataOf } from './part.ts';
import type { Scope } from './scope.ts';
import { compact, entriesOf, report } from './scope.ts';

export interface ScrapedPort {
  readonly name: string;
  readonly port: number;
  readonly expose: 'none' | 'internal' | 'public';
}

/** The port of this component that `observability.scrape` names, by name or number. */
export function scrapedPort(scope: Scope, part: Part): ScrapedPort | undefined {
  const wanted = scope.capsule.spec.observability?.scrape?.port;
  const found = entriesOf(part.component.ports).find(([name, port]) => wanted === name || wanted === port.port);
  return found === undefined ? undefined : { name: found[0], port: found[1].port, expose: found[1].expose ?? 'internal' };
}

/**
 * One monitor for each component with the scraped port: of its Service where exactly one has that port, else of its pods, because two
 * Services of one port would be scraped twice and a port that is not exposed has none.
 */
export function monitorsOf(scope: Scope, parts: readonly Part[]): readonly JsonObject[] {
  const { scrape } = scope.capsule.spec.observability ?? {};
  if (scrape === undefined) return [];
  const found = parts.flatMap((part) => {
    const port = scrapedPort(scope, part);
    return port === undefined ? [] : [monitorOf(scope, part, port)];
  });
  if (found.length === 0) {
    const known = [...new Set(parts.flatMap((part) => Object.keys(part.component.ports ?? {})))].sort();
    report(scope, '/spec/observability/scrape/port', {
      code: 'name-undeclared',
      rule: 'V-29',
      message: `/spec/observability/scrape/port: no port named ${JSON.stringify(scrape.port)} in this capsule (known: ${known.join(', ') || 'none'})`,
      remedy: 'Name a port of a component.',
    });
  }
  return found;
}

function monitorOf(scope: Scope, part: Part, port: ScrapedPort): JsonObject {
  const byService = port.expose === 'internal' && part.component.kind !== 'StatefulSet';
  const endpoint = compact({ path: scope.capsule.spec.observability?.scrape?.path, port: port.name });
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: byService ? 'ServiceMonitor' : 'PodMonitor',
    metadata: metadataOf(scope, part),
    spec: {
      jobLabel: 'app.kubernetes.io/instance',
      [byService ? 'endpoints' : 'podMetricsEndpoints']: [endpoint],
      selector: { matchLabels: part.selector },
    },
  };
}
