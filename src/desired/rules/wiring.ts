import type { RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { isInRange, parseRange } from '#model/version.ts';

/** V-18 against the capsules of this snapshot: the dependency is declared, speaks the protocol and has the output. */
export function wiringProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => [...protocolProblems(context, capsule), ...variableProblems(context, capsule)]);
}

type Dependency = NonNullable<CapsuleSource['declared']['value']['spec']['dependencies']>[string];

/** The snapshot's version of what a dependency names, if the range takes it; other versions are judged when resolved. */
export function providerOf(context: RuleContext, dependency: Dependency): CapsuleSource | undefined {
  const provider = dependency.capsule === undefined ? undefined : context.capsules.get(dependency.capsule);
  const range = parseRange(dependency.version ?? '*');
  if (provider === undefined || range === undefined) return undefined;
  return isInRange(provider.declared.value.metadata.version, range) ? provider : undefined;
}

function protocolProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  return Object.entries(capsule.declared.value.spec.dependencies ?? {}).flatMap(([name, dependency]) => {
    const provider = providerOf(context, dependency);
    const wanted = dependency.requires?.protocol;
    if (provider === undefined || wanted === undefined) return [];
    const spoken = Object.values(provider.declared.value.spec.provides ?? {}).map((provided) => provided.protocol);
    if (spoken.includes(wanted)) return [];
    return [
      problemOf({
        code: 'wiring-mismatch',
        rule: 'V-18',
        phase: 'resolve',
        place: capsule.declared.at(`/spec/dependencies${pointerToken(name)}/requires/protocol`),
        message: `${capsule.name} wants protocol ${quoted(wanted)} of dependency ${quoted(name)} (${versionOf(provider)}), which provides ${listed(spoken)}${didYouMean(wanted, spoken)}`,
        remedy: 'Correct the protocol, or depend on a capsule that provides it.',
        related: relatedTo(provider.declared.at('/spec/provides'), 'provided here'),
      }),
    ];
  });
}

function variableProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const { spec } = capsule.declared.value;
  const problems: Problem[] = [];
  for (const [component, { env }] of Object.entries(spec.components ?? {})) {
    for (const [variable, source] of Object.entries(env ?? {})) {
      if (source.dependency === undefined || source.output === undefined) continue;
      const place = capsule.declared.at(`/spec/components${pointerToken(component)}/env${pointerToken(variable)}`);
      const known = Object.keys(spec.dependencies ?? {});
      const dependency = Object.hasOwn(spec.dependencies ?? {}, source.dependency) ? spec.dependencies?.[source.dependency] : undefined;
      if (dependency === undefined) {
        problems.push(
          problemOf({
            code: 'dependency-undeclared',
            rule: 'V-18',
            phase: 'resolve',
            place,
            message: `${capsule.name}.env.${variable} uses dependency ${quoted(source.dependency)}, which spec.dependencies does not declare${didYouMean(source.dependency, known)}`,
            remedy: known.length === 0 ? 'Declare it below spec.dependencies.' : `Declare it, or use one of: ${listed(known)}.`,
          }),
        );
        continue;
      }
      const provider = providerOf(context, dependency);
      if (provider === undefined) continue;
      const outputs = outputsOf(provider, dependency.requires?.protocol);
      if (outputs.includes(source.output)) continue;
      problems.push(
        problemOf({
          code: 'wiring-mismatch',
          rule: 'V-18',
          phase: 'resolve',
          place,
          message:
            `${capsule.name}.env.${variable} wants output ${quoted(source.output)} of dependency ${quoted(source.dependency)} ` +
            `(${versionOf(provider)}), which provides ${listed(outputs)}${didYouMean(source.output, outputs)}`,
          remedy: 'Use one of its outputs, or add the output to its provides.',
          related: relatedTo(provider.declared.at('/spec/provides'), 'provided here'),
        }),
      );
    }
  }
  return problems;
}

function outputsOf(provider: CapsuleSource, protocol: string | undefined): readonly string[] {
  const { provides, outputs } = provider.declared.value.spec;
  const matching = Object.values(provides ?? {}).filter((provided) => protocol === undefined || provided.protocol === protocol);
  return [...new Set([...matching.flatMap((provided) => Object.keys(provided.outputs ?? {})), ...Object.keys(outputs ?? {})])];
}

function versionOf(capsule: CapsuleSource): string {
  return `${capsule.name}@${capsule.declared.value.metadata.version}`;
}
