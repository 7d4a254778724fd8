import type { Capsule, CapsuleMcpServer } from '#model/declarations.generated.ts';
import { isJsonObject, jsonText, type JsonObject, pointerToken } from '#model/json.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

/** Revisions of the Model Context Protocol, oldest first; `modern` ones have no initialize handshake (modelcontextprotocol.io). */
export const MCP_REVISIONS: ReadonlyMap<string, 'legacy' | 'modern'> = new Map([
  ['2024-11-05', 'legacy'],
  ['2025-03-26', 'legacy'],
  ['2025-06-18', 'legacy'],
  ['2025-11-25', 'legacy'],
  ['2026-07-28', 'modern'],
]);

export type McpTool = NonNullable<CapsuleMcpServer['tools']>[string];

/** MCP servers that a capsule runs, by name. */
export function mcpServersOf(capsule: Capsule): ReadonlyMap<string, CapsuleMcpServer> {
  return new Map(Object.entries(capsule.spec.protocols?.mcp?.servers ?? {}));
}

/** Tools of all its servers, by name; the first of a name where two servers share one. */
export function mcpToolsOf(capsule: Capsule): ReadonlyMap<string, McpTool> {
  return new Map([...mcpServersOf(capsule).values()].toReversed().flatMap((server) => Object.entries(server.tools ?? {})));
}

/** Interfaces of its agent card, or those beside it, as written. */
export function a2aInterfacesOf(capsule: Capsule): readonly JsonObject[] {
  const a2a = capsule.spec.protocols?.a2a;
  const own = a2a?.card?.['supportedInterfaces'];
  return Array.isArray(own) ? own.filter(isJsonObject) : (a2a?.interfaces ?? []);
}

/** Ids of the skills of its agent card. */
export function a2aSkillsOf(capsule: Capsule): readonly string[] {
  const skills = capsule.spec.protocols?.a2a?.card?.['skills'];
  return Array.isArray(skills) ? skills.filter(isJsonObject).map((skill) => jsonText(skill['id'])) : [];
}

/** A2A versions (Major.Minor) that it speaks, sorted; empty when it says none. */
function a2aVersionsOf(capsule: Capsule): readonly string[] {
  const versions = a2aInterfacesOf(capsule).flatMap((one) => /^[0-9]{1,4}\.[0-9]{1,4}/.exec(jsonText(one['protocolVersion']))?.[0] ?? []);
  return [...new Set(versions)].sort();
}

/** Something that a capsule expects of a dependency and that this version of it does not have. */
export interface ProtocolMisfit {
  readonly code: string;
  readonly rule: string;
  /** In the caller's capsule.yaml. */
  readonly pointer: string;
  readonly message: string;
  readonly remedy: string;
}

/**
 * What does not fit between a capsule and the versions that stand behind its dependencies (V-18 of MCP servers, V-66 of clients, V-68, V-70,
 * V-72). A dependency that is not in the map is not judged.
 */
export function protocolMisfits(caller: Capsule, providers: ReadonlyMap<string, Capsule>): readonly ProtocolMisfit[] {
  return [...clientMisfits(caller, providers), ...bridgeMisfits(caller, providers), ...callMisfits(caller, providers)];
}

function clientMisfits(caller: Capsule, providers: ReadonlyMap<string, Capsule>): readonly ProtocolMisfit[] {
  return Object.entries(caller.spec.protocols?.mcp?.clients ?? {}).flatMap(([name, client]) => {
    const provider = providers.get(client.dependency);
    if (provider === undefined) return [];
    const pointer = `/spec/protocols/mcp/clients${pointerToken(name)}`;
    const server = mcpServersOf(provider).get(client.server);
    if (server === undefined) {
      const known = [...mcpServersOf(provider).keys()];
      return [
        {
          code: 'wiring-mismatch',
          rule: 'V-18',
          pointer: `${pointer}/server`,
          message: `${caller.metadata.name} wants MCP server ${quoted(client.server)} of dependency ${quoted(client.dependency)} (${labelOf(provider)}), which provides ${listed(known)}${didYouMean(client.server, known)}`,
          remedy: 'Use one of its servers, or depend on another capsule.',
        },
      ];
    }
    return [
      ...listMisfits(client.tools ?? [], { pointer: `${pointer}/tools`, verb: 'is allowed', server, provider }),
      ...listMisfits(client.requireApproval ?? [], { pointer: `${pointer}/requireApproval`, verb: 'needs approval', server, provider }),
      ...revisionMisfits(caller, { pointer, spoken: client.protocolVersions ?? [], name: client.server, server, provider }),
    ];
  });
}

interface Offer {
  readonly pointer: string;
  readonly server: CapsuleMcpServer;
  readonly provider: Capsule;
}

/** V-66; a server that declares no tools says nothing of what it offers. */
function listMisfits(names: readonly string[], offer: Offer & { readonly verb: string }): readonly ProtocolMisfit[] {
  if (offer.server.tools === undefined) return [];
  const known = Object.keys(offer.server.tools);
  return names.flatMap((tool, index) =>
    known.includes(tool)
      ? []
      : [
          {
            code: 'tool-undeclared',
            rule: 'V-66',
            pointer: `${offer.pointer}/${index}`,
            message: `tool ${quoted(tool)} ${offer.verb} but is not declared: ${labelOf(offer.provider)} offers ${listed(known)}${didYouMean(tool, known)}`,
            remedy: 'Name a tool that the server declares, or take it out.',
          },
        ],
  );
}

/** V-70: who speaks different revisions only never gets an answer; a side that names none is not judged. */
function revisionMisfits(
  caller: Capsule,
  wanted: Offer & { readonly spoken: readonly string[]; readonly name: string },
): readonly ProtocolMisfit[] {
  const offered = wanted.server.protocolVersions ?? [];
  if (wanted.spoken.length === 0 || offered.length === 0 || wanted.spoken.some((one) => offered.includes(one))) return [];
  return [
    {
      code: 'mcp-no-common-revision',
      rule: 'V-70',
      pointer: `${wanted.pointer}/protocolVersions`,
      message: `${caller.metadata.name} speaks only ${listed(wanted.spoken)}; server ${wanted.name} of ${labelOf(wanted.provider)} speaks only ${listed(offered)}`,
      remedy: 'Let one of them speak a revision of the other, too, and declare it.',
    },
  ];
}

/** V-68. */
function bridgeMisfits(caller: Capsule, providers: ReadonlyMap<string, Capsule>): readonly ProtocolMisfit[] {
  return Object.entries(caller.spec.protocols?.bridges ?? {}).flatMap(([name, { from, to, mapping }]) => {
    const sides = [from, to].flatMap((end) => {
      const provider = end.dependency === undefined ? caller : providers.get(end.dependency);
      if (provider === undefined) return [];
      return [{ provider, kind: end.protocol === 'mcp' ? ('tool' as const) : ('skill' as const) }];
    });
    return sides.flatMap(({ provider, kind }) => {
      const known = kind === 'tool' ? [...mcpToolsOf(provider).keys()] : a2aSkillsOf(provider);
      return (mapping ?? []).flatMap((row, index) =>
        known.includes(row[kind])
          ? []
          : [
              {
                code: 'bridge-mapping-unknown',
                rule: 'V-68',
                pointer: `/spec/protocols/bridges${pointerToken(name)}/mapping/${index}/${kind}`,
                message: `bridge ${name} maps to ${kind} ${quoted(row[kind])}, which ${labelOf(provider)} does not offer${didYouMean(row[kind], known)}`,
                remedy: `Map to one of: ${listed(known)}.`,
              },
            ],
      );
    });
  });
}

/** V-72: a caller's versions are those of its own card. */
function callMisfits(caller: Capsule, providers: ReadonlyMap<string, Capsule>): readonly ProtocolMisfit[] {
  const spoken = a2aVersionsOf(caller);
  if (spoken.length === 0) return [];
  return Object.entries(caller.spec.dependencies ?? {}).flatMap(([name, { requires }]) => {
    const provider = requires?.protocol === 'a2a' ? providers.get(name) : undefined;
    const offered = provider === undefined ? [] : a2aVersionsOf(provider);
    if (provider === undefined || offered.length === 0 || spoken.some((one) => offered.includes(one))) return [];
    return [
      {
        code: 'a2a-no-common-version',
        rule: 'V-72',
        pointer: `/spec/dependencies${pointerToken(name)}`,
        message: `${caller.metadata.name} calls ${labelOf(provider)}: no common A2A version (${listed(spoken)} vs ${listed(offered)})`,
        remedy: 'Offer an interface of a common version in one of the two agent cards.',
      },
    ];
  });
}

function labelOf(capsule: Capsule): string {
  return `${capsule.metadata.name}@${capsule.metadata.version}`;
}
