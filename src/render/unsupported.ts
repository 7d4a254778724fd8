import type { CapsuleComponent } from '#model/declarations.generated.ts';
import type { Json } from '#model/json.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { report } from './scope.ts';

/** What a component may declare and this version does not render. Leaving it out silently would run something else than was declared. */
export function reportUnsupported(scope: Scope, parts: readonly Part[]): void {
  const { spec } = scope.capsule;
  const { type = 'rolling' } = spec.strategy ?? {};
  if (type !== 'rolling' && type !== 'recreate') refuse(scope, '/spec/strategy/type', `the strategy ${type}`);
  if ((spec.render?.engineVersion ?? 1) !== 1) refuse(scope, '/spec/render/engineVersion', 'another version of the render engine');
  for (const hook of ['preStop', 'onRollback'] as const) {
    if (isDeclared(spec.hooks?.[hook])) refuse(scope, `/spec/hooks/${hook}`, `the hook ${hook}`);
  }
  for (const part of parts) {
    for (const [field, value] of unsupportedFields(part.component)) {
      if (isDeclared(value)) refuse(scope, `${part.pointer}/${field}`, `${field.replaceAll('/', '.')} of component ${part.componentName}`);
    }
  }
}

function unsupportedFields(component: CapsuleComponent): readonly (readonly [string, Json | object | undefined])[] {
  const { availability, source } = component;
  return [
    ['availability/failover', availability?.failover],
    ['source/plan', source?.plan],
  ];
}

function isDeclared(value: Json | object | undefined): boolean {
  if (value === undefined || value === null || value === false || value === 0) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function refuse(scope: Scope, pointer: string, what: string): void {
  report(scope, pointer, {
    code: 'not-supported',
    rule: undefined,
    message: `${what} is not rendered by this version`,
    remedy: 'Remove the field, or write the objects it stands for as a template.',
  });
}
