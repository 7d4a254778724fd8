import type { RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import { comesToAnEnd } from '#model/component-end.ts';
import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleSource, Declared } from '#model/desired.ts';
import { type Json, pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { closedWrites, type Sealable } from '#model/sealing.ts';
import { isInRange, parseRange } from '#model/version.ts';

/** V-25 to V-28 and V-30 as far as the capsules of this snapshot tell; what an environment chooses is judged when it is resolved. */
export function compositionProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => [
    ...endlessProblems(context, capsule, EXTENDS),
    ...endlessProblems(context, capsule, BUNDLE),
    ...sealProblems(capsule),
    ...nameProblems(capsule),
    ...literalProblems(capsule),
    ...guardProblems(capsule),
    ...completionProblems(context, capsule),
  ]);
}

const DEEPEST = 8;

/** A way from one capsule to others that must end. */
interface Way {
  readonly code: 'extends-endless' | 'bundle-endless';
  readonly what: string;
  readonly remedy: string;
  next(capsule: Capsule): readonly { readonly name: string; readonly pointer: string }[];
}

const EXTENDS: Way = {
  code: 'extends-endless',
  what: 'extends',
  remedy: 'Let the chain end: take extends out of one of them.',
  next: ({ spec }) => (spec.extends ? [{ name: spec.extends.capsule, pointer: '/spec/extends' }] : []),
};
const BUNDLE: Way = {
  code: 'bundle-endless',
  what: 'instances',
  remedy: 'Take a bundle out of the other.',
  next: ({ spec }) =>
    Object.entries(spec.instances ?? {}).map(([child, { capsule }]) => ({
      name: capsule,
      pointer: `/spec/instances${pointerToken(child)}`,
    })),
};

function ownOf(capsule: CapsuleSource): Declared<Capsule> {
  return capsule.own ?? capsule.declared;
}

/** V-25, told where the chain begins to be too long and, for a circle, once: at its first capsule by name. */
function endlessProblems(context: RuleContext, capsule: CapsuleSource, way: Way): readonly Problem[] {
  for (const { name, pointer } of way.next(ownOf(capsule).value)) {
    const chain = longest(context, way, [capsule.name, name]);
    const isCircle = chain.length > 1 && chain.indexOf(chain.at(-1) ?? '') < chain.length - 1;
    if (isCircle ? chain.at(-1) !== capsule.name || chain.some((one) => one < capsule.name) : chain.length !== DEEPEST + 1) continue;
    return [
      problemOf({
        code: way.code,
        rule: 'V-25',
        place: ownOf(capsule).at(pointer),
        message: `${way.what} chain is too deep or cyclic: ${chain.join(' → ')}`,
        remedy: way.remedy,
      }),
    ];
  }
  return [];
}

/** The longest way on from the end of a chain; it stops where it comes back to itself, and a little beyond what is allowed. */
function longest(context: RuleContext, way: Way, chain: readonly string[]): readonly string[] {
  const last = chain.at(-1) ?? '';
  if (chain.indexOf(last) < chain.length - 1 || chain.length > DEEPEST + 1) return chain;
  const source = context.capsules.get(last);
  let best = chain;
  for (const { name } of source === undefined ? [] : way.next(ownOf(source).value)) {
    const found = longest(context, way, [...chain, name]);
    if (isCircular(found)) return found;
    if (found.length > best.length) best = found;
  }
  return best;
}

function isCircular(chain: readonly string[]): boolean {
  return new Set(chain).size < chain.length;
}

/** V-26 against the parents that this snapshot's versions would have. */
function sealProblems(capsule: CapsuleSource): readonly Problem[] {
  const own = ownOf(capsule);
  const child = sealable(capsule);
  return (capsule.parents ?? []).flatMap((parent) => {
    if (parent.declared.value.spec.sealed !== true) return [];
    return closedWrites(child, sealable(parent)).map((pointer) =>
      problemOf({
        code: 'sealed-changed',
        rule: 'V-26',
        place: own.at(`/spec${pointer}`),
        message: `${capsule.name} changes ${pointer}, which ${parent.name} does not open as an extension point`,
        remedy: `Take it out of ${capsule.name}, or add an extension point with this path to ${parent.name}.`,
        related: relatedTo(parent.declared.at('/spec/sealed'), `${parent.name} is sealed here`),
      }),
    );
  });
}

function sealable(capsule: CapsuleSource): Sealable {
  const { value } = ownOf(capsule);
  const files = capsule.files.map((file) => file.path);
  return { declaration: value, files: files.filter((path) => (capsule.directoryOf?.(path) ?? capsule.directory) === capsule.directory) };
}

/** V-27 inside of one capsule: a parent, a child and a private dependency have a name each. */
function nameProblems(capsule: CapsuleSource): readonly Problem[] {
  const { spec } = capsule.declared.value;
  const names = [
    ...(spec.extends ? [{ name: spec.extends.capsule, what: 'the capsule it extends', pointer: '/spec/extends/capsule' }] : []),
    ...Object.keys(spec.instances ?? {}).map((name) => ({ name, what: 'a child', pointer: `/spec/instances${pointerToken(name)}` })),
    ...Object.entries(spec.dependencies ?? {}).flatMap(([name, { shared }]) => {
      const taken = shared === false || Object.hasOwn(spec.instances ?? {}, name);
      return taken
        ? [{ name, what: shared === false ? 'a private dependency' : 'a dependency', pointer: `/spec/dependencies${pointerToken(name)}` }]
        : [];
    }),
  ];
  const first = new Map<string, string>();
  return names.flatMap(({ name, what, pointer }) => {
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, what);
      return [];
    }
    return [
      problemOf({
        code: 'derived-name',
        rule: 'V-27',
        place: capsule.declared.at(pointer),
        message: `derived name "${capsule.name}.${name}" is used by ${other} and ${what}`,
        remedy: 'Give one of them another name.',
      }),
    ];
  });
}

/** A bundle says plain values: nothing is filled in on the way to its children. */
function literalProblems(capsule: CapsuleSource): readonly Problem[] {
  const own = ownOf(capsule);
  return Object.entries(own.value.spec.instances ?? {}).flatMap(([child, { config }]) =>
    config === undefined || !holdsBraces(config)
      ? []
      : [
          problemOf({
            code: 'child-config-literal',
            severity: 'warning',
            place: own.at(`/spec/instances${pointerToken(child)}/config`),
            message: `the configuration of child "${child}" holds {{...}}, which reaches the child as it is written`,
            remedy: 'Write the value, or let the environment say it under capsules.<bundle>.instances.',
          }),
        ],
  );
}

function holdsBraces(value: Json): boolean {
  if (typeof value === 'string') return value.includes('{{');
  return typeof value === 'object' && value !== null && Object.values(value).some((inner: Json) => holdsBraces(inner));
}

/** V-28 in variables: what may be absent is asked for before it is used. Templates are walked where they are rendered. */
function guardProblems(capsule: CapsuleSource): readonly Problem[] {
  const { spec } = capsule.declared.value;
  return Object.entries(spec.components ?? {}).flatMap(([component, { env }]) =>
    Object.entries(env ?? {}).flatMap(([variable, source]) => {
      const name = source.dependency;
      const wanted = name !== undefined && Object.hasOwn(spec.dependencies ?? {}, name) ? spec.dependencies?.[name] : undefined;
      if (name === undefined || wanted === undefined || (wanted.optional !== true && (wanted.when ?? undefined) === undefined)) return [];
      if (source.when !== undefined && source.when !== null && guards(source.when, name)) return [];
      const pointer = `/spec/components${pointerToken(component)}/env${pointerToken(variable)}`;
      return [
        problemOf({
          code: 'dependency-unguarded',
          rule: 'V-28',
          place: capsule.declared.at(pointer),
          message: `${pointer} uses optional dependency "${name}" without when/capabilities guard`,
          remedy: `Add when: "capabilities.${name}".`,
        }),
      ];
    }),
  );
}

/** Whether a condition asks for the capability at all; what else it asks for is its own affair. */
function guards(expression: string, dependency: string): boolean {
  return expression.includes(`capabilities.${dependency}`) || /capabilities\[["']/.test(expression);
}

/** V-30 against the snapshot's version of a dependency, where the range takes it. */
function completionProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  return Object.entries(capsule.declared.value.spec.dependencies ?? {}).flatMap(([name, dependency]) => {
    const provider = dependency.capsule === undefined ? undefined : context.capsules.get(dependency.capsule);
    const range = parseRange(dependency.version ?? '*');
    if (dependency.condition !== 'completed' || provider === undefined || range === undefined) return [];
    const { metadata } = provider.declared.value;
    if (!isInRange(metadata.version, range) || comesToAnEnd(provider.declared.value)) return [];
    return [
      problemOf({
        code: 'never-completes',
        rule: 'V-30',
        place: capsule.declared.at(`/spec/dependencies${pointerToken(name)}/condition`),
        message: `dependency "${name}" waits for "completed" but ${provider.name} has no Job component`,
        remedy: 'Wait for "healthy" or "started", or depend on a capsule with a Job.',
      }),
    ];
  });
}
