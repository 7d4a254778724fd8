import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import { MCP_REVISIONS, mcpServersOf, protocolMisfits } from '#model/agent-protocols.ts';
import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { agentCardProblems } from './agent-card.ts';
import { registryProblems } from './mcp-registry.ts';
import { providerOf } from './wiring.ts';

/** V-66 to V-73: what capsules say of MCP and A2A, alone and against the capsules of this snapshot; locked versions are judged when resolved. */
export function protocolProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => {
    if (capsule.declared.value.spec.protocols === undefined) return [];
    return [
      ...toolProblems(capsule),
      ...revisionProblems(capsule),
      ...transportProblems(capsule),
      ...dependencyProblems(capsule),
      ...misfitProblems(context, capsule),
      ...agentCardProblems(context, capsule),
      ...registryProblems(capsule),
    ];
  });
}

/** V-67. */
function toolProblems(capsule: CapsuleSource): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [server, { tools }] of mcpServersOf(capsule.declared.value)) {
    for (const [tool, { risk, requireApproval }] of Object.entries(tools ?? {})) {
      const place = capsule.declared.at(`/spec/protocols/mcp/servers${pointerToken(server)}/tools${pointerToken(tool)}`);
      if (risk === undefined) {
        problems.push(
          problemOf({
            code: 'tool-without-risk',
            rule: 'V-67',
            place,
            message: `tool ${tool} has no risk`,
            remedy: 'Say how much harm a call can do: low, medium, high or critical.',
          }),
        );
      } else if ((risk === 'high' || risk === 'critical') && requireApproval !== true) {
        problems.push(
          problemOf({
            code: 'tool-unguarded',
            rule: 'V-67',
            place,
            message: `tool ${tool} is ${risk} risk; set requireApproval: true`,
            remedy: 'Let a person approve each call, or lower the risk if it is lower.',
          }),
        );
      }
    }
  }
  return problems;
}

/** V-69, of servers and clients. */
function revisionProblems(capsule: CapsuleSource): readonly Problem[] {
  const { servers = {}, clients = {} } = capsule.declared.value.spec.protocols?.mcp ?? {};
  const spoken = [
    ...Object.entries(servers).map(([name, one]) => ({ kind: 'server', name, versions: one.protocolVersions ?? [] })),
    ...Object.entries(clients).map(([name, one]) => ({ kind: 'client', name, versions: one.protocolVersions ?? [] })),
  ];
  return spoken.flatMap(({ kind, name, versions }) => {
    const pointer = `/spec/protocols/mcp/${kind}s${pointerToken(name)}/protocolVersions`;
    const unknown = versions.flatMap((version, index) =>
      MCP_REVISIONS.has(version)
        ? []
        : [
            problemOf({
              code: 'mcp-revision-unknown',
              rule: 'V-69',
              place: capsule.declared.at(`${pointer}/${index}`),
              message: `${quoted(version, 60)} is not an MCP revision; known: ${listed([...MCP_REVISIONS.keys()])}`,
              remedy: 'Write the date of a published revision.',
            }),
          ],
    );
    const isLegacy = versions.length > 0 && versions.every((version) => MCP_REVISIONS.get(version) === 'legacy');
    if (!isLegacy) return unknown;
    return [
      problemOf({
        code: 'mcp-legacy-only',
        rule: 'V-69',
        severity: 'warning',
        place: capsule.declared.at(pointer),
        message: `MCP ${kind} ${name} speaks only revisions with the initialize handshake (${listed(versions)})`,
        remedy: `Let it speak ${[...MCP_REVISIONS.keys()].at(-1) ?? ''}, too, and declare that.`,
      }),
    ];
  });
}

function transportProblems(capsule: CapsuleSource): readonly Problem[] {
  return [...mcpServersOf(capsule.declared.value)].flatMap(([name, { transport }]) =>
    transport.type !== 'sse'
      ? []
      : [
          problemOf({
            code: 'mcp-transport-outdated',
            rule: 'V-69',
            severity: 'warning',
            place: capsule.declared.at(`/spec/protocols/mcp/servers${pointerToken(name)}/transport/type`),
            message: `MCP server ${name} uses the transport sse, which MCP gave up with revision 2025-03-26`,
            remedy: 'Use streamable-http.',
          }),
        ],
  );
}

/** A dependency that a client or a bridge names and that is not declared is told once, as wiring (V-18). */
function dependencyProblems(capsule: CapsuleSource): readonly Problem[] {
  const { dependencies = {}, protocols } = capsule.declared.value.spec;
  const known = Object.keys(dependencies);
  const used = [
    ...Object.entries(protocols?.mcp?.clients ?? {}).map(([name, client]) => ({
      what: `MCP client ${name}`,
      pointer: `/spec/protocols/mcp/clients${pointerToken(name)}/dependency`,
      dependency: client.dependency,
    })),
    ...Object.entries(protocols?.bridges ?? {}).flatMap(([name, bridge]) =>
      (['from', 'to'] as const).flatMap((end) => {
        const { dependency } = bridge[end];
        const pointer = `/spec/protocols/bridges${pointerToken(name)}/${end}/dependency`;
        return dependency === undefined ? [] : [{ what: `bridge ${name}`, pointer, dependency }];
      }),
    ),
  ];
  return used.flatMap(({ what, pointer, dependency }) =>
    known.includes(dependency)
      ? []
      : [
          problemOf({
            code: 'dependency-undeclared',
            rule: 'V-18',
            phase: 'resolve',
            place: capsule.declared.at(pointer),
            message: `${what} of ${capsule.name} uses dependency ${quoted(dependency)}, which spec.dependencies does not declare${didYouMean(dependency, known)}`,
            remedy: known.length === 0 ? 'Declare it below spec.dependencies.' : `Declare it, or use one of: ${listed(known)}.`,
          }),
        ],
  );
}

function misfitProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const providers = new Map(
    Object.entries(capsule.declared.value.spec.dependencies ?? {}).flatMap(([name, dependency]): [string, Capsule][] => {
      const provider = providerOf(context, dependency);
      return provider === undefined ? [] : [[name, provider.declared.value]];
    }),
  );
  return protocolMisfits(capsule.declared.value, providers).map(({ pointer, ...misfit }) =>
    problemOf({ ...misfit, phase: misfit.rule === 'V-66' ? 'validate' : 'resolve', place: capsule.declared.at(pointer) }),
  );
}
