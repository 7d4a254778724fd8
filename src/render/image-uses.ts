import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';
import { groupAndVersion, type KubernetesObject } from '#model/kubernetes-object.ts';
import type { ImageUse, ImageUses, RenderedObject, Rendering } from '#model/rendering.ts';
import { containersOf, podSpecOf } from './pod-requests.ts';

/** Groups of Kubernetes itself: their kinds are known, and those without pods name no images. */
const OWN_GROUPS: ReadonlySet<string> = new Set(['', 'apps', 'batch', 'autoscaling', 'policy', 'extensions', 'events.k8s.io']);
/** What custom resources call their images. */
const IMAGE_FIELD = /^(image|imageName|[a-z][A-Za-z0-9]*Image)$/;
const REFERENCE = /^[^\s/:@]+(?:[/:@][^\s]*)+$/;

/**
 * Every image that a rendering makes a cluster pull: of containers, init and ephemeral ones, of volumes, and of fields of custom resources
 * that are called like an image and hold a reference. Custom kinds without any are told: nobody knows what they pull.
 */
export function usesOfImages({ targets }: Rendering): ImageUses {
  const uses = new Map<string, ImageUse>();
  const unknown = new Set<string>();
  for (const target of targets) {
    for (const rendered of target.objects) {
      const found = imagesIn(rendered.object);
      if (found === undefined) unknown.add(`${rendered.key.group}/${rendered.key.kind}`);
      const { capsule = '', version = '' } = target.instances.get(rendered.instance) ?? {};
      for (const image of found ?? []) {
        if (!uses.has(image)) uses.set(image, { image, capsule, version, object: nameOf(rendered) });
      }
    }
  }
  return { uses: [...uses.values()], unknownKinds: [...unknown].sort() };
}

/** Undefined for a custom kind in which nothing looks like an image. */
function imagesIn(object: KubernetesObject): readonly string[] | undefined {
  const { group } = groupAndVersion(object.apiVersion);
  if (OWN_GROUPS.has(group) || group.endsWith('.k8s.io')) {
    const pod = podSpecOf(object) ?? podTemplateOf(object);
    return pod === undefined ? [] : [...containersOf(pod).map((one) => one['image']), ...volumeImages(pod)].filter(isText);
  }
  const found = fieldsIn(object);
  return found.length === 0 ? undefined : found;
}

function podTemplateOf(object: KubernetesObject): JsonObject | undefined {
  const template = object.kind === 'PodTemplate' ? object['template'] : undefined;
  const spec = isJsonObject(template) ? template['spec'] : undefined;
  return isJsonObject(spec) ? spec : undefined;
}

/** Images mounted as volumes: they are pulled as those of containers are. */
function volumeImages(pod: JsonObject): readonly (Json | undefined)[] {
  const volumes = pod['volumes'];
  return (Array.isArray(volumes) ? volumes : []).map((volume: Json) => {
    const image = isJsonObject(volume) ? volume['image'] : undefined;
    return isJsonObject(image) ? image['reference'] : undefined;
  });
}

function fieldsIn(value: Json, key = ''): readonly string[] {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return list.flatMap((item) => (key === 'images' && typeof item === 'string' ? fieldsIn(item, 'image') : fieldsIn(item)));
  }
  if (isJsonObject(value)) return Object.entries(value).flatMap(([name, item]) => fieldsIn(item, name));
  return typeof value === 'string' && IMAGE_FIELD.test(key) && REFERENCE.test(value) ? [value] : [];
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

function nameOf({ key }: RenderedObject): string {
  return `${key.kind} ${key.name}`;
}
