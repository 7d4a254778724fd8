import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import { mcpServersOf, mcpToolsOf, type McpTool } from '#model/agent-protocols.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { durationText, parseDuration } from '#model/instant.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { providerOf } from './wiring.ts';

/** V-66 and V-76 of agents, V-74 and V-75 of models. */
export function agentProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => [...agentRules(context, capsule), ...modelRules(capsule)]);
}

const RISKS = ['low', 'medium', 'high', 'critical'] as const;

function agentRules(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const { agent } = capsule.declared.value.spec;
  if (agent === undefined || agent === null) return [];
  const reach = reachOf(context, capsule);
  const problems: Problem[] = [];
  for (const [index, name] of (agent.tools ?? []).entries()) {
    if (!reach.complete || reach.named.has(name)) continue;
    const known = [...reach.named.keys()];
    problems.push(
      problemOf({
        code: 'tool-undeclared',
        rule: 'V-66',
        place: capsule.declared.at(`/spec/agent/tools/${index}`),
        message: `tool ${quoted(name)} is allowed but is not declared${didYouMean(name, known)}`,
        remedy: `Name a tool, client or server that it reaches: ${listed(known)}.`,
      }),
    );
  }
  const tools = agent.tools === undefined ? reach.called : new Map(agent.tools.flatMap((name) => [...(reach.named.get(name) ?? [])]));
  const risky = [...tools].filter(([, tool]) => tool.risk !== undefined && tool.risk !== 'low');
  if (agent.autonomy !== 'autonomous' || (agent.approvals?.required ?? 0) > 0 || risky.length === 0) return problems;
  const highest = RISKS.findLast((risk) => risky.some(([, tool]) => tool.risk === risk)) ?? 'medium';
  const names = risky.map(([name, { risk }]) => `${name} (${risk ?? ''})`).sort();
  problems.push(
    problemOf({
      code: 'agent-too-free',
      rule: 'V-76',
      place: capsule.declared.at('/spec/agent/autonomy'),
      message: `agent ${capsule.name} is autonomous with ${highest}-risk tools ${listed(names)}`,
      remedy: 'Set agent.approvals, use autonomy: supervised, or keep those tools from it.',
    }),
  );
  return problems;
}

interface Reach {
  /** What a name in agent.tools may stand for: a tool, or a client or server with all its tools. */
  readonly named: ReadonlyMap<string, ReadonlyMap<string, McpTool>>;
  /** Tools of the clients. */
  readonly called: ReadonlyMap<string, McpTool>;
  /** False when a server is not known here, so that nothing can be called undeclared. */
  readonly complete: boolean;
}

function reachOf(context: RuleContext, capsule: CapsuleSource): Reach {
  const { dependencies = {}, protocols } = capsule.declared.value.spec;
  const named = new Map<string, ReadonlyMap<string, McpTool>>();
  const called = new Map<string, McpTool>();
  let complete = true;
  const own = [...mcpToolsOf(capsule.declared.value)];
  for (const [name, server] of mcpServersOf(capsule.declared.value)) named.set(name, new Map(Object.entries(server.tools ?? {})));
  for (const [name, client] of Object.entries(protocols?.mcp?.clients ?? {})) {
    const dependency = Object.hasOwn(dependencies, client.dependency) ? dependencies[client.dependency] : undefined;
    const provider = dependency === undefined ? undefined : providerOf(context, dependency);
    const offered = provider === undefined ? undefined : mcpServersOf(provider.declared.value).get(client.server)?.tools;
    if (offered === undefined) complete = false;
    const tools = Object.entries(offered ?? {}).filter(([tool]) => client.tools === undefined || client.tools.includes(tool));
    named.set(name, new Map(tools));
    for (const [tool, declared] of tools) called.set(tool, declared);
  }
  for (const [tool, declared] of [...own, ...called]) if (!named.has(tool)) named.set(tool, new Map([[tool, declared]]));
  return { named, called, complete };
}

function modelRules(capsule: CapsuleSource): readonly Problem[] {
  return Object.entries(capsule.declared.value.spec.models ?? {}).flatMap(([name, model]) => {
    const pointer = `/spec/models${pointerToken(name)}`;
    const problems: Problem[] = [];
    const policy = model.updatePolicy;
    if (model.digest === undefined) {
      problems.push(
        problemOf({
          code: 'model-unpinned',
          rule: 'V-74',
          place: capsule.declared.at(pointer),
          message: `model ${name} has no digest`,
          remedy: 'Add digest: sha256:… of the model, so that it is the one that was judged.',
        }),
      );
    }
    if (policy !== undefined && policy.automatic !== false && !(policy.validation ?? []).some((one) => (one.eval ?? '') !== '')) {
      problems.push(
        problemOf({
          code: 'model-unvalidated',
          rule: 'V-74',
          place: capsule.declared.at(`${pointer}/updatePolicy`),
          message: `model ${name} updates automatically but has no validation`,
          remedy: 'Add updatePolicy.validation with an eval, or set updatePolicy.automatic: false.',
        }),
      );
    }
    return [...problems, ...thresholdProblems(capsule, name)];
  });
}

/** V-75. */
function thresholdProblems(capsule: CapsuleSource, model: string): readonly Problem[] {
  const { spec } = capsule.declared.value;
  const pointer = `/spec/models${pointerToken(model)}/updatePolicy`;
  const policy = spec.models?.[model]?.updatePolicy;
  const known = metricsOf(capsule);
  const period = parseDuration(policy?.monitoringPeriod ?? '');
  return (policy?.rollbackThreshold ?? []).flatMap(({ metric }, index) => {
    if (!known.has(metric)) {
      return [
        problemOf({
          code: 'rollback-metric-undefined',
          rule: 'V-75',
          place: capsule.declared.at(`${pointer}/rollbackThreshold/${index}/metric`),
          message: `rollbackThreshold uses undefined metric ${quoted(metric)}${didYouMean(metric, known.keys())}`,
          remedy: `Define it below health.metrics, verification.evals or strategy.analysis, or use one of: ${listed([...known.keys()])}.`,
        }),
      ];
    }
    const interval = known.get(metric);
    if (interval === undefined || period === undefined || period >= 2 * interval) return [];
    return [
      problemOf({
        code: 'monitoring-too-short',
        rule: 'V-75',
        place: capsule.declared.at(`${pointer}/monitoringPeriod`),
        message: `monitoringPeriod ${policy?.monitoringPeriod ?? ''} of model ${model} is shorter than two intervals of metric ${quoted(metric)} (${durationText(interval)} each)`,
        remedy: `Watch for at least ${durationText(2 * interval)}.`,
      }),
    ];
  });
}

/** Names of metrics, with how often they are measured where that is said. */
function metricsOf(capsule: CapsuleSource): ReadonlyMap<string, number | undefined> {
  const { health, verification, strategy } = capsule.declared.value.spec;
  const { system = [], application = [], business = [], custom = [] } = health?.metrics ?? {};
  return new Map<string, number | undefined>([
    ...system.map((name) => [name, undefined] as const),
    ...[...application, ...business, ...custom].map(({ name }) => [name, undefined] as const),
    ...(verification?.evals ?? []).map(({ metric }) => [metric, undefined] as const),
    ...Object.entries(strategy?.analysis ?? {}).map(([name, { interval }]) => [name, parseDuration(interval ?? '')] as const),
  ]);
}
