import { pointerToken } from '#model/json.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { report } from './scope.ts';

/** Order inside an instance. Components count from 0 by what they start after. */
export const WAVE = { secrets: -3, beforeHooks: -2, hooks: -1 } as const;

/** What starts a component: the sync itself, or a hook that makes it a Job of its own for each run. */
export type Role =
  | { readonly kind: 'component'; readonly wave: number }
  | { readonly kind: 'hook'; readonly hook: 'preSync' | 'postSync'; readonly wave: number }
  | { readonly kind: 'migration'; readonly wave: number };

/** The role of every component by its name. Names that do not exist, Jobs that are none, and circles are problems. */
export function rolesOf(scope: Scope, parts: readonly Part[]): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const [at, migration] of (scope.capsule.spec.migrations ?? []).entries()) {
    const part = jobNamed(scope, parts, { name: migration.job, pointer: `/spec/migrations/${at}/job`, what: 'migration' });
    if (part !== undefined) roles.set(part.componentName, { kind: 'migration', wave: WAVE.hooks });
  }
  const levels = startLevels(scope, parts);
  const last = Math.max(0, ...levels.values());
  for (const hook of ['preSync', 'postSync'] as const) {
    const name = scope.capsule.spec.hooks?.[hook];
    if (name === undefined) continue;
    const part = jobNamed(scope, parts, { name, pointer: `/spec/hooks/${hook}`, what: `hook ${hook}` });
    if (part === undefined) continue;
    if (roles.has(part.componentName)) {
      report(scope, `/spec/hooks/${hook}`, {
        code: 'hook-invalid',
        rule: undefined,
        message: `component ${name} runs as a migration or as another hook already`,
        remedy: 'Give each hook and migration a component of its own.',
      });
    }
    roles.set(part.componentName, { kind: 'hook', hook, wave: hook === 'preSync' ? WAVE.hooks : last + 1 });
  }
  for (const part of parts) {
    if (!roles.has(part.componentName)) roles.set(part.componentName, { kind: 'component', wave: levels.get(part.componentName) ?? 0 });
  }
  return roles;
}

function jobNamed(
  scope: Scope,
  parts: readonly Part[],
  wanted: { readonly name: string; readonly pointer: string; readonly what: string },
): Part | undefined {
  const part = parts.find((one) => one.componentName === wanted.name);
  if (part === undefined) {
    undeclared(scope, wanted.pointer, wanted.name, parts);
    return undefined;
  }
  if (part.component.kind === 'Job') return part;
  report(scope, wanted.pointer, {
    code: 'hook-invalid',
    rule: undefined,
    message: `the ${wanted.what} names component ${wanted.name}, which is a ${part.component.kind}, not a Job`,
    remedy: 'Name a component of kind Job.',
  });
  return undefined;
}

function undeclared(scope: Scope, pointer: string, name: string, parts: readonly Part[]): void {
  report(scope, pointer, {
    code: 'name-undeclared',
    rule: 'V-29',
    message: `${pointer}: no component named ${JSON.stringify(name)} in this capsule (known: ${parts.map((part) => part.componentName).join(', ') || 'none'})`,
    remedy: 'Name a component of this capsule.',
  });
}

/** 0 for what starts after nothing, else one more than the highest of what it starts after. */
function startLevels(scope: Scope, parts: readonly Part[]): ReadonlyMap<string, number> {
  const known = new Set(parts.map((part) => part.componentName));
  const after = new Map(parts.map((part) => [part.componentName, part.component.startAfter ?? []]));
  for (const part of parts) {
    for (const [at, name] of (part.component.startAfter ?? []).entries()) {
      if (!known.has(name)) undeclared(scope, `${part.pointer}/startAfter/${at}`, name, parts);
    }
  }
  const levels = new Map<string, number>();
  for (let moved = true; moved;) {
    moved = false;
    for (const [name, names] of after) {
      const below = names.filter((one) => known.has(one)).map((one) => levels.get(one));
      if (levels.has(name) || below.includes(undefined)) continue;
      levels.set(name, Math.max(-1, ...below.map((level) => level ?? 0)) + 1);
      moved = true;
    }
  }
  const circle = parts.map((part) => part.componentName).filter((name) => !levels.has(name));
  if (circle.length > 0) {
    report(scope, `/spec/components${pointerToken(circle[0] ?? '')}/startAfter`, {
      code: 'start-order-cycle',
      rule: undefined,
      message: `components wait for each other: ${circle.join(', ')}`,
      remedy: 'Take one of them out of a startAfter.',
    });
  }
  return levels;
}
