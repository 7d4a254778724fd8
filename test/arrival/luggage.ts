import { planArrival } from '#loops/arrive.ts';
import type { PlannedArrival } from '#loops/arrive.ts';
import type { Luggage, SourceKind } from '#model/arrival.ts';

/** A folder called `shop` with these texts. */
export function luggage(files: Readonly<Record<string, string>>): Luggage {
  return { name: 'shop', files: new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])), unread: [] };
}

export function planned(kind: SourceKind, files: Readonly<Record<string, string>>): Promise<PlannedArrival> {
  const wish = { kind, luggage: luggage(files), namespace: 'default', environment: 'dev' };
  return planArrival({ ...wish, signal: new AbortController().signal });
}

/** Path -> text of everything that is written. */
export function writtenBy({ arrival }: PlannedArrival): Readonly<Record<string, string>> {
  return Object.fromEntries(arrival.files.map((file) => [file.path, Buffer.from(file.content).toString('utf8')]));
}

/** An object as short YAML. */
export function object(
  kind: string,
  name: string,
  rest: { readonly namespace?: string; readonly app?: string; readonly body?: string } = {},
): string {
  const group = kind === 'Deployment' ? 'apps/v1' : 'v1';
  const namespace = rest.namespace === undefined ? '' : `  namespace: ${rest.namespace}\n`;
  const labels = rest.app === undefined ? '' : `  labels:\n    app: ${rest.app}\n`;
  return `apiVersion: ${group}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace}${labels}${rest.body ?? ''}`;
}
