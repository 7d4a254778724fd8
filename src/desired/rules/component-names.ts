import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

interface Use {
  readonly pointer: string;
  readonly kind: 'analysis' | 'component' | 'Job component' | 'port' | 'storage';
  readonly name: string;
  readonly known: readonly string[];
}

/** V-29: storage, ports and components that are named inside a capsule are there. Ports of probes are V-40's. */
export function componentNameProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) =>
    usesOf(capsule)
      .filter((use) => !use.known.includes(use.name))
      .map((use) =>
        problemOf({
          code: 'name-undeclared',
          rule: 'V-29',
          place: capsule.declared.at(use.pointer),
          message: `${use.pointer}: no ${use.kind} named ${quoted(use.name)} in this capsule (known: ${listed(use.known)})${didYouMean(use.name, use.known)}`,
          remedy: 'Use one of the known names, or declare it.',
        }),
      ),
  );
}

function usesOf(capsule: CapsuleSource): readonly Use[] {
  const { spec } = capsule.declared.value;
  const components = Object.entries(spec.components ?? {});
  const names = components.map(([name]) => name);
  const jobs = components.flatMap(([name, { kind }]) => (kind === 'Job' ? [name] : []));
  const ports = [...new Set(components.flatMap(([, component]) => Object.keys(component.ports ?? {})))];
  const uses: Use[] = [];
  for (const [name, component] of components) {
    const base = `/spec/components${pointerToken(name)}`;
    const storage = Object.keys(component.storage ?? {});
    for (const [volume, mounted] of Object.entries(component.volumes ?? {}))
      uses.push({ pointer: `${base}/volumes${pointerToken(volume)}/storage`, kind: 'storage', name: mounted.storage, known: storage });
    const others = names.filter((other) => other !== name);
    for (const [index, other] of (component.startAfter ?? []).entries())
      uses.push({ pointer: `${base}/startAfter/${index}`, kind: 'component', name: other, known: others });
  }
  const port = (pointer: string, value: string | number | undefined): void => {
    if (typeof value === 'string') uses.push({ pointer, kind: 'port', name: value, known: ports });
  };
  for (const [name, provided] of Object.entries(spec.provides ?? {})) port(`/spec/provides${pointerToken(name)}/port`, provided.port);
  port('/spec/observability/scrape/port', spec.observability?.scrape?.port);
  for (const [hook, job] of Object.entries(spec.hooks ?? {}))
    if (typeof job === 'string') uses.push({ pointer: `/spec/hooks${pointerToken(hook)}`, kind: 'Job component', name: job, known: jobs });
  const analyses = Object.keys(spec.strategy?.analysis ?? {});
  for (const [index, { analysis }] of (spec.strategy?.canary?.steps ?? []).entries())
    if (analysis !== undefined)
      uses.push({ pointer: `/spec/strategy/canary/steps/${index}/analysis`, kind: 'analysis', name: analysis, known: analyses });
  for (const [index, migration] of (spec.migrations ?? []).entries())
    uses.push({ pointer: `/spec/migrations/${index}/job`, kind: 'Job component', name: migration.job, known: jobs });
  return uses;
}
