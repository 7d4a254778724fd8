import type { CapsuleComponent } from '#model/declarations.generated.ts';
import type { JsonObject } from '#model/json.ts';
import { parsePrefix } from '#model/network-address.ts';
import { compareText } from '#model/problem.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { entriesOf, report } from './scope.ts';
import { scrapedPort } from './scraping.ts';

type Network = NonNullable<CapsuleComponent['network']>;

const NAME_SERVICE: JsonObject = {
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};

/**
 * Declaring `network` closes both directions. What the dependency graph needs is open: dependents may call, dependencies may be called,
 * components of one instance may talk, public ports are for everybody and the scraped port for the cluster. What is listed is open, too.
 */
export function networkPolicyOf(scope: Scope, part: Part, metadata: (name: string) => JsonObject): readonly JsonObject[] {
  const { network } = part.component;
  if (network === undefined) return [];
  const spec = {
    egress: [NAME_SERVICE, { to: [...podPeers(scope, called(scope, part, network)), ...blocks(scope, part, network)] }],
    ingress: [{ from: podPeers(scope, [...(network.ingressFrom ?? []), ...scope.unit.wishes.dependents]) }, ...openPorts(scope, part)],
    podSelector: { matchLabels: part.selector },
    policyTypes: ['Egress', 'Ingress'],
  };
  return [{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: metadata(part.name), spec }];
}

/** Pods of these instances and of the own one. */
function podPeers(scope: Scope, instances: readonly string[]): readonly JsonObject[] {
  return [...new Set([scope.unit.pin.instance, ...instances])]
    .sort(compareText)
    .map((instance) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/instance': instance } } }));
}

function called(scope: Scope, part: Part, network: Network): readonly string[] {
  const listed = (network.egressTo ?? []).flatMap((name, at) => calledInstances(scope, name, `${part.pointer}/network/egressTo/${at}`));
  return [...listed, ...Object.values(scope.unit.dependencies).map((dependency) => dependency.instance)];
}

function calledInstances(scope: Scope, name: string, pointer: string): readonly string[] {
  if (!name.startsWith('dependency:')) return [name];
  const wanted = name.slice('dependency:'.length);
  const { dependencies = {} } = scope.capsule.spec;
  // A declared one that is there is called anyway; an optional one that is absent cannot be.
  if (Object.hasOwn(dependencies, wanted)) return [];
  report(scope, pointer, {
    code: 'dependency-undeclared',
    rule: 'V-18',
    message: `${name} names no dependency of this capsule`,
    remedy: 'Declare the dependency, or name an instance.',
  });
  return [];
}

function blocks(scope: Scope, part: Part, network: Network): readonly JsonObject[] {
  const declared = network.externalEgress ?? [];
  for (const [at, block] of declared.entries()) {
    if (parsePrefix(block) !== undefined) continue;
    const isHost = !/^[0-9a-fA-F:.]+\/[0-9]+$/.test(block);
    report(scope, `${part.pointer}/network/externalEgress/${at}`, {
      code: 'not-supported',
      rule: undefined,
      message: `${JSON.stringify(block.slice(0, 80))} is not a CIDR block${isHost ? '; a NetworkPolicy knows no host names' : ''}`,
      remedy: 'Write the block of addresses, such as 203.0.113.0/24.',
    });
  }
  return [...declared].sort(compareText).flatMap((block) => (parsePrefix(block) === undefined ? [] : [{ ipBlock: { cidr: block } }]));
}

function openPorts(scope: Scope, part: Part): readonly JsonObject[] {
  const open = entriesOf(part.component.ports).filter(([, port]) => port.expose === 'public');
  const scraped = scrapedPort(scope, part);
  return [
    ...(open.length === 0 ? [] : [{ ports: open.map(([, port]) => ({ port: port.port, protocol: port.protocol ?? 'TCP' })) }]),
    ...(scraped === undefined ? [] : [{ from: [{ namespaceSelector: {} }], ports: [{ port: scraped.port, protocol: 'TCP' }] }]),
  ];
}
