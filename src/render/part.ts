import type { CapsuleComponent } from '#model/declarations.generated.ts';
import type { JsonObject } from '#model/json.ts';
import { pointerToken } from '#model/json.ts';
import type { Scope } from './scope.ts';
import { compact, entriesOf, report } from './scope.ts';

/** One component of the instance that is rendered, with the names its objects get. */
export interface Part {
  readonly component: CapsuleComponent;
  readonly componentName: string;
  /** `<instance>` for the primary component, else `<instance>-<component>`. */
  readonly name: string;
  /** Pointer of the component in capsule.yaml. */
  readonly pointer: string;
  readonly selector: JsonObject;
}

export function partsOf(scope: Scope): readonly Part[] {
  const components = entriesOf(scope.capsule.spec.components);
  const primaries = components.filter(([, component]) => component.primary === true);
  if (primaries.length > 1) {
    report(scope, '/spec/components', {
      code: 'component-primary-twice',
      rule: 'V-87',
      message: `${scope.unit.pin.capsule} has ${primaries.length} primary components: ${primaries.map(([name]) => name).join(', ')}`,
      remedy: 'Leave `primary: true` on one component: its objects carry the name of the instance.',
    });
  }
  const primary = primaries[0]?.[0] ?? (components.length === 1 ? components[0]?.[0] : undefined);
  return components.map(([componentName, component]) => ({
    component,
    componentName,
    name: componentName === primary ? scope.name : `${scope.name}-${componentName}`,
    pointer: `/spec/components${pointerToken(componentName)}`,
    selector: { 'app.kubernetes.io/component': componentName, 'app.kubernetes.io/instance': scope.unit.pin.instance },
  }));
}

export function metadataOf(scope: Scope, part: Part, name = part.name): JsonObject {
  return labelled(scope, name, part.selector);
}

/** Metadata of what belongs to the instance and to none of its components. */
export function metadataOfInstance(scope: Scope, name: string): JsonObject {
  return labelled(scope, name, { 'app.kubernetes.io/instance': scope.unit.pin.instance });
}

function labelled(scope: Scope, name: string, selector: JsonObject): JsonObject {
  const { pin } = scope.unit;
  return {
    name,
    namespace: scope.namespace,
    labels: compact({
      ...scope.capsule.metadata.labels,
      ...selector,
      'app.kubernetes.io/managed-by': 'capstan',
      'app.kubernetes.io/name': pin.capsule,
      'app.kubernetes.io/part-of': scope.capsule.spec.system,
      'app.kubernetes.io/version': pin.version,
    }),
  };
}
