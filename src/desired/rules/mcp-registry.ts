import { problemOf } from '#desired/finding.ts';
import { mcpServersOf } from '#model/agent-protocols.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** Reverse-DNS, one slash, a name; at most 200 characters (server.schema.json of the MCP registry). */
const REGISTRY_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})+/[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$`);
const LONGEST_NAME = 200;
const LONGEST_DESCRIPTION = 100;

/** V-73: what a server with a registry name says fits the registry's server.json. */
export function registryProblems(capsule: CapsuleSource): readonly Problem[] {
  const { metadata } = capsule.declared.value;
  const published = [...mcpServersOf(capsule.declared.value)].filter(([, server]) => server.registryName !== undefined);
  if (published.length === 0) return [];
  const problem = (pointer: string, message: string, remedy: string): Problem =>
    problemOf({ code: 'registry-entry-invalid', rule: 'V-73', place: capsule.declared.at(pointer), message, remedy });
  const names = published.flatMap(([server, { registryName = '' }]) =>
    registryName.length <= LONGEST_NAME && REGISTRY_NAME.test(registryName)
      ? []
      : [
          problem(
            `/spec/protocols/mcp/servers${pointerToken(server)}/registryName`,
            `registry name ${quoted(registryName)} is not a reverse-DNS name with one slash`,
            'Write a name such as io.github.acme/greeter-tools.',
          ),
        ],
  );
  const length = Array.from(metadata.description ?? '').length;
  const description =
    length >= 1 && length <= LONGEST_DESCRIPTION
      ? []
      : [
          problem(
            '/metadata/description',
            length === 0
              ? `registry description is empty; the registry wants 1 to ${LONGEST_DESCRIPTION} characters`
              : `registry description is ${length} characters; the limit is ${LONGEST_DESCRIPTION}`,
            `Say in metadata.description what the server does, in at most ${LONGEST_DESCRIPTION} characters.`,
          ),
        ];
  return [...names, ...description, ...imageProblems(capsule, problem)];
}

/** The registry takes one version, neither a range nor `latest`; a capsule's own version is always one. */
function imageProblems(capsule: CapsuleSource, problem: (pointer: string, message: string, remedy: string) => Problem): readonly Problem[] {
  return Object.entries(capsule.declared.value.spec.components ?? {}).flatMap(([name, { image }]) => {
    if (image === undefined || image.includes('@') || image.includes('{{')) return [];
    const last = image.slice(image.lastIndexOf('/') + 1);
    const tag = last.includes(':') ? last.slice(last.indexOf(':') + 1) : 'latest';
    if (tag !== 'latest') return [];
    return [
      problem(
        `/spec/components${pointerToken(name)}/image`,
        `image ${quoted(image)} of a published MCP server is "latest", which is no version`,
        'Name one version, best by digest: name@sha256:…',
      ),
    ];
  });
}
