import { listDigest, sha256Of } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';
import { objectFileName, objectKey } from '#model/kubernetes-object.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import type { Inventory, InventoryObject, Observation } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';

export interface ObjectSketch {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly instance?: string;
  readonly namespace?: string;
  readonly content?: string;
}

/** A ConfigMap `name` of instance `web` unless told otherwise; `content` changes its bytes. */
export function renderedObject(name: string, sketch: ObjectSketch = {}): RenderedObject {
  const { kind = 'ConfigMap', apiVersion = 'v1', instance = 'web', namespace = 'acme', content = 'one' } = sketch;
  const object: KubernetesObject = { apiVersion, kind, metadata: { name, namespace }, data: { content } };
  const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\ndata:\n  content: ${content}\n`;
  const path = `${instance}/${objectFileName(object)}`;
  return { key: objectKey(object), instance: toInstanceName(instance), path, sha256: sha256Of(text), object, text };
}

export function targetRendering(objects: readonly RenderedObject[], waves: Readonly<Record<string, number>> = { web: 0 }): TargetRendering {
  const sorted = objects.toSorted((a, b) => compareText(a.path, b.path));
  return {
    target: {
      environment: toEnvironmentName('dev'),
      name: toTargetName('local'),
      driver: 'directory',
      namespace: 'acme',
      labels: {},
      facts: {},
    },
    digest: listDigest(sorted),
    instances: new Map(
      Object.entries(waves).map(([name, wave]) => [
        toInstanceName(name),
        { capsule: name, version: '1.0.0', gitTree: '1'.repeat(40), sha256: sha256Of(name), configSha256: sha256Of(''), wave },
      ]),
    ),
    objects: sorted,
    metadata: 'instances: {}\n',
  };
}

export function inventoryOf(rendering: TargetRendering, rows: readonly InventoryObject[] = rowsOf(rendering.objects)): Inventory {
  return { environment: rendering.target.environment, target: rendering.target.name, rendering: rendering.digest, objects: rows };
}

export function rowsOf(objects: readonly RenderedObject[], pending = false): readonly InventoryObject[] {
  return objects.map(({ key, path, sha256 }) => ({ key, path, sha256, pending }));
}

export function observationOf(
  inventory: Inventory | undefined,
  there: readonly { readonly path: string; readonly sha256: Sha256 }[],
  rest: Partial<Observation> = {},
): Observation {
  return {
    inventory,
    objects: there.map(({ path, sha256 }) => ({ key: undefined, path, sha256 })),
    reports: [],
    complete: true,
    ...rest,
  };
}
