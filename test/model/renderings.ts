import type { EnvironmentLock } from '#model/declarations.generated.ts';
import { sha256Of } from '#model/digest.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { objectFileName, objectKey, type KubernetesObject } from '#model/kubernetes-object.ts';
import { toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import type { RenderedObject, Rendering } from '#model/rendering.ts';

type Wanted = Readonly<Record<string, Json>>;

/** A Deployment of one container by default; another kind is made of what is given. */
export function workload(
  name: string,
  { kind = 'Deployment', image = 'r/web:1', replicas = 2, annotations = {}, ...rest }: Wanted = {},
): KubernetesObject {
  const metadata = { name, namespace: 'acme', annotations };
  if (kind !== 'Deployment') return { apiVersion: 'v1', kind: typeof kind === 'string' ? kind : '', metadata, ...rest };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: { replicas, template: { spec: { containers: [{ name: 'main', image, ...rest }] } } },
  };
}

/** A rendering by target; every object belongs to the instance of its name, at version 1.0.0 unless told otherwise. */
export function rendering(
  environment: string,
  targets: Readonly<Record<string, readonly KubernetesObject[]>>,
  versions: Readonly<Record<string, string>> = {},
): Rendering {
  const rendered = Object.entries(targets).map(([name, objects]) => {
    const listed = objects.map(renderedObject).sort((a, b) => (a.path < b.path ? -1 : 1));
    const instances = new Map(
      listed.map(({ instance }) => {
        const version = versions[instance] ?? '1.0.0';
        const sha256 = sha256Of(version);
        return [instance, { capsule: instance, version, gitTree: '0'.repeat(40), sha256, configSha256: sha256, wave: 0 }];
      }),
    );
    return {
      target: {
        environment: toEnvironmentName(environment),
        name: toTargetName(name),
        driver: 'directory',
        namespace: 'acme',
        labels: {},
        facts: {},
      },
      digest: sha256Of(canonicalJson(listed.map(({ path, sha256 }) => [path, sha256]))),
      instances,
      objects: listed,
      metadata: '{}',
    };
  });
  return {
    environment: toEnvironmentName(environment),
    digest: sha256Of(canonicalJson(rendered.map(({ digest, target }) => [digest, target.name]))),
    targets: rendered,
  };
}

function renderedObject(object: KubernetesObject): RenderedObject {
  const key = objectKey(object);
  const instance = toInstanceName(key.name);
  const text = canonicalJson(object);
  return { key, instance, path: `${instance}/${objectFileName(object)}`, sha256: sha256Of(text), object, text };
}

export function entry(version: string): EnvironmentLock['capsules'][string] {
  return {
    capsule: 'web',
    version,
    commit: '1'.repeat(40),
    gitTree: '2'.repeat(40),
    sha256: sha256Of(version),
    requestedBy: ['environment'],
  };
}

export function lockOf(capsules: EnvironmentLock['capsules'], holds: EnvironmentLock['holds'] = {}): EnvironmentLock {
  return { apiVersion: 'capstan.dev/v1alpha1', kind: 'EnvironmentLock', metadata: { environment: 'prod' }, capsules, holds };
}
