import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import type { ObjectFinding } from '#model/object-finding.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

/** Mistakes that no shape shows and every server refuses: a selector that misses its own pods, a volume that is nowhere, a container without image. */
export function meaningMistakes(object: KubernetesObject): readonly ObjectFinding[] {
  const { spec } = object as JsonObject;
  if (!isJsonObject(spec)) return [];
  if (object.kind === 'Service') return portNames(spec);
  const found: ObjectFinding[] = [];
  const selects = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].includes(object.kind) && object.apiVersion === 'apps/v1';
  if (selects) found.push(...selectorMistakes(spec));
  const pod = podOf(object.kind, spec);
  if (pod !== undefined) found.push(...podMistakes(pod.spec, pod.pointer, claimNames(spec)));
  return found;
}

const TEMPLATED: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'ReplicationController']);

function podOf(kind: string, spec: JsonObject): { readonly spec: JsonObject; readonly pointer: string } | undefined {
  const at = (value: Json | undefined, pointer: string): { readonly spec: JsonObject; readonly pointer: string } | undefined =>
    isJsonObject(value) && isJsonObject(value['spec']) ? { spec: value['spec'], pointer: `${pointer}/spec` } : undefined;
  if (kind === 'Pod') return { spec, pointer: '/spec' };
  if (TEMPLATED.has(kind)) return at(spec['template'], '/spec/template');
  if (kind !== 'CronJob') return undefined;
  const { jobTemplate } = spec;
  const job = isJsonObject(jobTemplate) ? jobTemplate['spec'] : undefined;
  return isJsonObject(job) ? at(job['template'], '/spec/jobTemplate/spec/template') : undefined;
}

function selectorMistakes(spec: JsonObject): readonly ObjectFinding[] {
  const { selector, template } = spec;
  const wanted = isJsonObject(selector) ? selector['matchLabels'] : undefined;
  const metadata = isJsonObject(template) ? template['metadata'] : undefined;
  const labels = isJsonObject(metadata) && isJsonObject(metadata['labels']) ? metadata['labels'] : {};
  if (!isJsonObject(wanted)) return [];
  return Object.entries(wanted).flatMap(([name, value]) =>
    labels[name] === value
      ? []
      : [
          mistake({
            code: 'object-value-invalid',
            pointer: `/spec/selector/matchLabels${pointerToken(name)}`,
            message: 'is not among the labels of its own pods, so it would find none of them',
            remedy: 'Give the pods this label below spec.template.metadata.labels, or take it out of the selector.',
          }),
        ],
  );
}

function podMistakes(pod: JsonObject, pointer: string, claims: readonly string[]): readonly ObjectFinding[] {
  const volumes = [...namesOf(pod['volumes']), ...claims];
  return ['initContainers', 'containers'].flatMap((list) =>
    objectsOf(pod[list]).flatMap(([container, at]) => {
      const here = `${pointer}/${list}/${at}`;
      const imageless =
        typeof container['image'] === 'string' && container['image'] !== ''
          ? []
          : [
              mistake({
                code: 'object-field-missing',
                pointer: here,
                message: 'lacks image, which a container needs',
                remedy: 'Add image.',
              }),
            ];
      const lost = objectsOf(container['volumeMounts']).flatMap(([mount, index]) => {
        const { name } = mount;
        if (typeof name !== 'string' || volumes.includes(name)) return [];
        const message = `is ${quoted(name, 80)}, which is no volume of the pod (known: ${listed(volumes)})${didYouMean(name, volumes)}`;
        const remedy = 'Mount a volume that is declared below volumes, or declare it.';
        return [mistake({ code: 'object-value-invalid', pointer: `${here}/volumeMounts/${index}/name`, message, remedy })];
      });
      return [...imageless, ...lost];
    }),
  );
}

function claimNames(spec: JsonObject): readonly string[] {
  return objectsOf(spec['volumeClaimTemplates']).flatMap(([claim]) => {
    const name = isJsonObject(claim['metadata']) ? claim['metadata']['name'] : undefined;
    return typeof name === 'string' ? [name] : [];
  });
}

/** With several ports each has to have a name. */
function portNames(spec: JsonObject): readonly ObjectFinding[] {
  const ports = objectsOf(spec['ports']);
  if (ports.length < 2) return [];
  return ports.flatMap(([port, at]) =>
    typeof port['name'] === 'string' && port['name'] !== ''
      ? []
      : [
          mistake({
            code: 'object-field-missing',
            pointer: `/spec/ports/${at}`,
            message: 'lacks name, which each of several ports needs',
            remedy: 'Add name.',
          }),
        ],
  );
}

function namesOf(list: Json | undefined): readonly string[] {
  return objectsOf(list).flatMap(([item]) => (typeof item['name'] === 'string' ? [item['name']] : []));
}

function objectsOf(list: Json | undefined): readonly (readonly [JsonObject, number])[] {
  const items: readonly Json[] = Array.isArray(list) ? list : [];
  return items.flatMap((item, at): readonly (readonly [JsonObject, number])[] => (isJsonObject(item) ? [[item, at]] : []));
}

function mistake(found: Omit<ObjectFinding, 'isOfMinor' | 'isTolerated'>): ObjectFinding {
  return { ...found, isOfMinor: false, isTolerated: false };
}
