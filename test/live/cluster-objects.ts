import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { objectFileName, objectKey } from '#model/kubernetes-object.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { toInstanceName } from '#model/names.ts';
import type { Outcome } from '#model/plan.ts';
import type { RenderedObject } from '#model/rendering.ts';

export function rendered(object: JsonObject): RenderedObject {
  const whole = object as KubernetesObject;
  const text = writeKubernetesYaml(object);
  const path = `web/${objectFileName(whole)}`;
  return { key: objectKey(whole), instance: toInstanceName('web'), path, sha256: sha256Of(text), object: whole, text };
}

export function configMap(name: string, rest: JsonObject = {}, metadata: JsonObject = {}): RenderedObject {
  return rendered({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'acme', ...metadata }, ...rest });
}

export function deployment(replicas: number, selector = 'web', annotations: JsonObject = {}): RenderedObject {
  return rendered({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'acme', ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: {
      replicas,
      selector: { matchLabels: { app: selector } },
      template: { metadata: { labels: { app: selector } }, spec: { containers: [{ name: 'web', image: 'example.com/web:1' }] } },
    },
  });
}

export function said(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ action, key, result, problem }) =>
    [action, key.kind, key.name, result, ...(problem === undefined ? [] : [problem.code])].join(' '),
  );
}
