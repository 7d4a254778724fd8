import type { JsonObject } from '#model/json.ts';
import { pointerToken } from '#model/json.ts';
import { quantityText } from '#model/quantity.ts';
import { quantityAt } from './amount.ts';
import { configMapName, filesOf } from './files.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { compact, entriesOf, report, unlessEmpty } from './scope.ts';

export function mountsOf(scope: Scope, part: Part): readonly JsonObject[] {
  const volumes = entriesOf(part.component.volumes).map(([name, volume]) =>
    compact({ mountPath: volume.mountPath, name, readOnly: volume.readOnly }),
  );
  const files = filesOf(scope, part).mounts.map((mount) =>
    compact({ mountPath: mount.mountPath, name: mount.volume, readOnly: true, subPath: mount.subPath }),
  );
  return [...volumes, ...files];
}

export function podVolumes(scope: Scope, part: Part): readonly JsonObject[] {
  const { component } = part;
  const volumes = entriesOf(component.volumes).flatMap(([name, volume]): readonly JsonObject[] => {
    const storage = component.storage?.[volume.storage];
    const pointer = `${part.pointer}/volumes${pointerToken(name)}/storage`;
    if (storage === undefined) {
      report(scope, pointer, {
        code: 'name-undeclared',
        rule: 'V-29',
        message: `volume ${name} mounts storage ${volume.storage}, which is not declared`,
        remedy: `Declare ${volume.storage} below storage of the component.`,
      });
      return [];
    }
    if (storage.type === 'ephemeral') {
      const size = quantityAt(scope, storage.size, `${part.pointer}/storage${pointerToken(volume.storage)}/size`);
      return [{ emptyDir: size === undefined ? {} : { sizeLimit: quantityText(size, 'size') }, name }];
    }
    return component.kind === 'StatefulSet' ? [] : [{ name, persistentVolumeClaim: { claimName: `${part.name}-${volume.storage}` } }];
  });
  const files = filesOf(scope, part);
  const configMap = configMapName(scope, part);
  return [
    ...volumes,
    ...files.volumes.map((volume) => ({ configMap: compact({ items: volume.items, name: configMap }), name: volume.name })),
  ];
}

/** volumeClaimTemplates of a StatefulSet, named like the volumes that mount them. */
export function claimsOf(scope: Scope, part: Part): readonly JsonObject[] {
  return entriesOf(part.component.volumes).flatMap(([name, volume]) => {
    const storage = part.component.storage?.[volume.storage];
    return storage?.type === 'persistent' ? [{ metadata: { name }, spec: claimSpec(scope, part, volume.storage) }] : [];
  });
}

/** PersistentVolumeClaims of other workloads; one per storage that a volume mounts. */
export function claimObjects(scope: Scope, part: Part, metadata: (name: string) => JsonObject): readonly JsonObject[] {
  if (part.component.kind === 'StatefulSet') return [];
  const mounted = new Set(Object.values(part.component.volumes ?? {}).map((volume) => volume.storage));
  return entriesOf(part.component.storage).flatMap(([name, storage]) =>
    storage.type === 'persistent' && mounted.has(name)
      ? [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: metadata(`${part.name}-${name}`),
            spec: claimSpec(scope, part, name),
          },
        ]
      : [],
  );
}

function claimSpec(scope: Scope, part: Part, storageName: string): JsonObject {
  const storage = part.component.storage?.[storageName];
  const pointer = `${part.pointer}/storage${pointerToken(storageName)}`;
  const size = quantityAt(scope, storage?.size, `${pointer}/size`);
  if (storage?.size === undefined) {
    report(scope, pointer, {
      code: 'component-incomplete',
      rule: 'V-87',
      message: `persistent storage ${storageName} has no size`,
      remedy: 'Add `size: 1Gi` to the storage.',
    });
  }
  return compact({
    accessModes: [storage?.access ?? 'ReadWriteOnce'],
    resources: unlessEmpty(size === undefined ? {} : { requests: { storage: quantityText(size, 'size') } }),
    storageClassName: storage?.class,
  });
}
