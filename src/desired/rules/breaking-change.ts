import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import { a2aSkillsOf, mcpServersOf } from '#model/agent-protocols.ts';
import type { CapsuleSource } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import { listed, visibleText } from '#model/quoted.ts';
import { isBreakingBump, nextBreakingVersion } from '#model/version.ts';
import { openApiBreaks } from './openapi-removals.ts';
import { configSchemaOf } from './schema-hygiene.ts';
import { schemaNarrowings } from './schema-narrowing.ts';

type Verb = 'removes' | 'narrows' | 'newly requires' | 'changes';

interface Break {
  readonly verb: Verb;
  readonly what: string;
  /** How to keep it; undefined where that says itself. */
  readonly keep?: string;
}

const VERBS: readonly Verb[] = ['removes', 'narrows', 'newly requires', 'changes'];

/** V-22, for the capsules whose highest release below is known: what others rely on stays until the next breaking version. */
export function breakingProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => {
    const before = context.facts.previous?.get(capsule.name);
    const [was, now] = [before?.declared.value.metadata.version, capsule.declared.value.metadata.version];
    if (before === undefined || was === undefined || isBreakingBump(was, now)) return [];
    const breaks = breaksBetween(before, capsule);
    if (breaks.length === 0) return [];
    const parts = VERBS.flatMap((verb) => {
      const things = [...new Set(breaks.filter((one) => one.verb === verb).map((one) => one.what))];
      return things.length === 0 ? [] : [`${verb} ${listed(things)}`];
    });
    const next = nextBreakingVersion(was);
    const keep = breaks.flatMap((one) => (one.keep === undefined ? [] : [one.keep]));
    return [
      problemOf({
        code: 'breaking-without-major',
        rule: 'V-22',
        place: capsule.declared.at('/metadata/version'),
        message: `${capsule.name} ${was}→${now} ${parts.join('; ')}; that needs a ${now.startsWith('0.') ? 'minor (below 1.0.0)' : 'major'} version (next: ${next})`,
        remedy: `Release it as ${next}, or keep what others may rely on${keep.map((how) => `: ${how}`).join('')}.`,
      }),
    ];
  });
}

function breaksBetween(before: CapsuleSource, after: CapsuleSource): readonly Break[] {
  // What a parent gives that is not known here may well be what seems gone.
  if (lacksParent(before) || lacksParent(after)) return [];
  return [
    ...configurationBreaks(before, after),
    ...providedBreaks(before, after),
    ...portBreaks(before, after),
    ...capabilityBreaks(before, after),
    ...protocolBreaks(before, after),
  ];
}

function lacksParent({ declared, parents = [] }: CapsuleSource): boolean {
  return declared.value.spec.extends !== undefined && declared.value.spec.extends !== null && parents.length === 0;
}

function configurationBreaks(before: CapsuleSource, after: CapsuleSource): readonly Break[] {
  const [was, now] = [configSchemaOf(before), configSchemaOf(after)];
  if (was.kind !== 'read' || now.kind !== 'read') return [];
  return schemaNarrowings(was.schema.schema, now.schema.schema, after.declared.value.spec.config?.defaults).map((found): Break => {
    const key = found.key === '' ? 'the configuration' : `config key ${visibleText(found.key, 80)}`;
    switch (found.kind) {
      case 'removes':
        return { verb: 'removes', what: key };
      case 'requires':
        return { verb: 'newly requires', what: key };
      case 'narrows':
        return { verb: 'narrows', what: `${key} (${visibleText(found.how, 80)})` };
    }
  });
}

function providedBreaks(before: CapsuleSource, after: CapsuleSource): readonly Break[] {
  const [was, now] = [before.declared.value.spec, after.declared.value.spec];
  const provided = Object.entries(was.provides ?? {}).flatMap(([name, had]): readonly Break[] => {
    const has = Object.hasOwn(now.provides ?? {}, name) ? now.provides?.[name] : undefined;
    if (has === undefined) return [{ verb: 'removes', what: `provides ${name}` }];
    const found = missing(Object.keys(had.outputs ?? {}), Object.keys(has.outputs ?? {})).map((output): Break => ({
      verb: 'removes',
      what: `output ${output} of ${name}`,
    }));
    if (had.protocol !== has.protocol)
      found.push({ verb: 'changes', what: `the protocol of ${name} from ${had.protocol} to ${has.protocol}` });
    if (had.openapi === undefined) return found;
    if (has.openapi === undefined) return [...found, { verb: 'removes', what: `the OpenAPI document of ${name}` }];
    const [old, next] = [before.contents.get(had.openapi), after.contents.get(has.openapi)];
    if (old === undefined || next === undefined || Buffer.compare(old, next) === 0) return found;
    for (const { kind, what } of openApiBreaks(old, next)) found.push({ verb: kind === 'removes' ? 'removes' : 'newly requires', what });
    return found;
  });
  const outputs = Object.entries(was.outputs ?? {}).flatMap(([name, { type }]): readonly Break[] => {
    const has = Object.hasOwn(now.outputs ?? {}, name) ? now.outputs?.[name] : undefined;
    if (has === undefined) return [{ verb: 'removes', what: `output ${name}` }];
    return has.type === type ? [] : [{ verb: 'changes', what: `the type of output ${name} from ${type} to ${has.type}` }];
  });
  return [...provided, ...outputs];
}

/** A component's objects are called after it, but for the primary one: that may be renamed. */
function portBreaks(before: CapsuleSource, after: CapsuleSource): readonly Break[] {
  const [was, now] = [before.declared.value.spec.components ?? {}, after.declared.value.spec.components ?? {}];
  const [first, next] = [primaryOf(before), primaryOf(after)];
  const found: Break[] = [];
  if (first !== next && first !== undefined && (Object.hasOwn(now, first) || next === undefined))
    found.push({
      verb: 'changes',
      what: `the primary component from ${first} to ${next ?? 'none'}`,
      ...(next === undefined && Object.hasOwn(now, first) ? { keep: `write \`primary: true\` on component ${first}` } : {}),
    });
  for (const [name, { ports }] of Object.entries(was)) {
    const counterpart = name === first && !Object.hasOwn(now, name) ? (next ?? name) : name;
    const has = Object.hasOwn(now, counterpart) ? (now[counterpart]?.ports ?? {}) : {};
    for (const [port, had] of Object.entries(ports ?? {})) {
      const there = Object.hasOwn(has, port) ? has[port] : undefined;
      if (there === undefined) found.push({ verb: 'removes', what: `port ${port} of ${name}` });
      else if ((there.protocol ?? 'TCP') !== (had.protocol ?? 'TCP'))
        found.push({
          verb: 'changes',
          what: `the protocol of port ${port} of ${name} from ${had.protocol ?? 'TCP'} to ${there.protocol ?? 'TCP'}`,
        });
    }
  }
  return found;
}

function primaryOf({ declared }: CapsuleSource): string | undefined {
  const components = Object.entries(declared.value.spec.components ?? {});
  const marked = components.find(([, component]) => component.primary === true);
  return marked?.[0] ?? (components.length === 1 ? components[0]?.[0] : undefined);
}

function capabilityBreaks(before: CapsuleSource, after: CapsuleSource): readonly Break[] {
  const [was, now] = [before, after].map(({ declared }) => declared.value.spec.compatibility?.capabilities ?? []);
  return missing(was ?? [], now ?? []).map((name) => ({ verb: 'removes', what: `capability ${name}` }));
}

function protocolBreaks(before: CapsuleSource, after: CapsuleSource): readonly Break[] {
  const now = mcpServersOf(after.declared.value);
  const tools = [...mcpServersOf(before.declared.value)].flatMap(([name, server]): readonly Break[] => {
    const has = now.get(name);
    if (has === undefined) return [{ verb: 'removes', what: `MCP server ${name}` }];
    return missing(Object.keys(server.tools ?? {}), Object.keys(has.tools ?? {})).map((tool) => ({
      verb: 'removes',
      what: `tool ${tool}`,
    }));
  });
  const skills = missing(a2aSkillsOf(before.declared.value), a2aSkillsOf(after.declared.value));
  return [...tools, ...skills.map((skill): Break => ({ verb: 'removes', what: `skill ${skill}` }))];
}

function missing(before: readonly string[], after: readonly string[]): readonly string[] {
  return before.filter((name) => !after.includes(name));
}
