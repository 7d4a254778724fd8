import type { JsonObject } from '#model/json.ts';
import { pointerToken } from '#model/json.ts';
import type { Part } from './part.ts';
import { isScaled, replicasOf } from './scaling.ts';
import type { Scope } from './scope.ts';
import { entriesOf, report } from './scope.ts';

/**
 * A VolumeSnapshot of every claim before the pods of this content start; the one of the version before goes with it. On a fresh install
 * there is no claim yet: it waits, and is made of the empty volume.
 */
export function snapshotsOf(scope: Scope, part: Part, metadata: (name: string) => JsonObject): readonly JsonObject[] {
  const version = scope.unit.pin.sha256.slice(0, 8);
  return entriesOf(part.component.storage).flatMap(([name, storage]): readonly JsonObject[] => {
    if (storage.snapshotBeforeUpgrade !== true) return [];
    const pointer = `${part.pointer}/storage${pointerToken(name)}/snapshotBeforeUpgrade`;
    if (storage.type !== 'persistent') return impossible(scope, pointer, `storage ${name} of component ${part.componentName} is ephemeral`);
    return claimNames(scope, part, { name, pointer }).map((claim) => ({
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: metadata(`${claim}-before-${version}`),
      spec: { source: { persistentVolumeClaimName: claim } },
    }));
  });
}

function claimNames(scope: Scope, part: Part, storage: { readonly name: string; readonly pointer: string }): readonly string[] {
  const volumes = entriesOf(part.component.volumes).filter(([, volume]) => volume.storage === storage.name);
  if (volumes.length === 0)
    return impossible(scope, storage.pointer, `no volume of component ${part.componentName} mounts storage ${storage.name}`);
  if (part.component.kind !== 'StatefulSet') return [`${part.name}-${storage.name}`];
  if (isScaled(part.component))
    return impossible(
      scope,
      storage.pointer,
      `the volumes of component ${part.componentName} cannot be listed: its number of pods is scaled`,
    );
  const replicas = replicasOf(scope, part) ?? 1;
  return volumes.flatMap(([volume]) => Array.from({ length: Math.min(replicas, 1000) }, (_, at) => `${volume}-${part.name}-${at}`));
}

function impossible(scope: Scope, pointer: string, message: string): readonly never[] {
  report(scope, pointer, {
    code: 'snapshot-impossible',
    rule: undefined,
    message,
    remedy: 'Snapshots are of persistent storage that a volume mounts, in a component whose number of pods is declared.',
  });
  return [];
}
