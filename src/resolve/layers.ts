import type { Device, Fleet } from '#model/declarations.generated.ts';
import type { Declared, DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import { pointerToken, type JsonObject } from '#model/json.ts';
import type { InstanceName } from '#model/names.ts';
import type { Place } from '#model/problem.ts';
import type { ConfigurationLayer } from '#model/resolution.ts';
import { defaultLayers, type Defaulted } from './inheritance.ts';
import { wishOf } from './wishes.ts';

/** What one instance's configuration is layered from. */
export interface LayerSources {
  readonly environment: DesiredEnvironment;
  readonly target: DeclaredTarget;
  readonly instance: InstanceName;
  /** Abstract types that the instance satisfies: the configuration of their recipes lies below the environment's own. */
  readonly recipes?: readonly string[] | undefined;
  /** What the bundle says that the instance is a child of. */
  readonly given?: ConfigurationLayer | undefined;
  /** The released capsule, with what it inherits. */
  readonly capsule: Defaulted;
  readonly fleet?: Declared<Fleet> | undefined;
  readonly device?: Declared<Device> | undefined;
}

/** Layers 2 to 6 of declarations.md 3.6, low to high; absent ones are left out. On an edge target the order is target, fleet, device. */
export function layersOf(sources: LayerSources): readonly ConfigurationLayer[] {
  const { environment, target, instance, capsule, fleet, device } = sources;
  const layers: ConfigurationLayer[] = [];
  const add = (name: string, value: JsonObject | undefined, at: (pointer: string) => Place): void => {
    if (value !== undefined) layers.push({ name, value, at });
  };
  const { spec } = environment.declared.value;
  const key = pointerToken(instance);
  const inEnvironment = (base: string) => (pointer: string) => environment.declared.at(`${base}${pointer}`);
  const inTarget = (base: string) => (pointer: string) => target.at(`${base}${pointer}`);
  layers.push(...defaultLayers(capsule));
  if (sources.given !== undefined) layers.push(sources.given);
  add('environment', global(spec.config), underGlobal(inEnvironment('/spec/config')));
  for (const type of sources.recipes ?? [])
    add(`recipe ${type}`, own(spec.recipes, type)?.config, inEnvironment(`/spec/recipes${pointerToken(type)}/config`));
  const wish = wishOf(environment, instance);
  add('environment', wish.config, inEnvironment(`${wish.pointer}/config`));
  const file = environment.configs.get(instance);
  if (file !== undefined) add(file.file, file.value, (pointer) => file.at(pointer));
  add(`target ${target.name}`, global(target.value.config), underGlobal(inTarget('/config')));
  add(`target ${target.name}`, own(target.value.overrides, instance)?.config, inTarget(`/overrides${key}/config`));
  if (fleet !== undefined) {
    const value = own(fleet.value.spec.capsules, instance)?.config;
    add(`fleet ${fleet.value.metadata.name}`, value, (pointer) => fleet.at(`/spec/capsules${key}/config${pointer}`));
  }
  if (device !== undefined) {
    const value = own(device.value.spec.overrides, instance)?.config;
    add(`device ${device.value.metadata.name}`, value, (pointer) => device.at(`/spec/overrides${key}/config${pointer}`));
  }
  return layers;
}

function global(config: JsonObject | undefined): JsonObject | undefined {
  return config === undefined ? undefined : { global: config };
}

function underGlobal(at: (pointer: string) => Place): (pointer: string) => Place {
  return (pointer) => at(pointer.slice('/global'.length));
}

function own<T>(map: { readonly [key: string]: T } | undefined, key: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}
