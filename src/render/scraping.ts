import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { entriesOf } from './scope.ts';

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
