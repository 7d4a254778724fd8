import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

/**
 * Instances that a component lets in or calls and that no environment has. A warning: the policy selects pods by the label of their
 * instance, and another tool may run pods that have it.
 */
export function networkPeerProblems(context: RuleContext): readonly Problem[] {
  const { state, facts } = context;
  // Without environments nothing is known of instances, and what cannot be read may declare them.
  if (state.environments.length === 0 || facts.unreadable.some((path) => path.startsWith('environments/'))) return [];
  const peers = state.capsules.flatMap(peersOf);
  if (peers.length === 0) return [];
  const known = knownInstances(context);
  return peers.flatMap(({ capsule, pointer, name }) =>
    known.has(name) || known.has(name.split('.')[0] ?? '')
      ? []
      : [
          problemOf({
            code: 'peer-undeclared',
            severity: 'warning',
            place: (capsule.own ?? capsule.declared).at(pointer),
            message: `${pointer} names instance ${quoted(name)}, which no environment has (known: ${listed([...known].sort())})${didYouMean(name, known)}`,
            remedy: 'Use the name of an instance, or take it out: until pods of that instance run, the entry opens nothing.',
          }),
        ],
  );
}

interface Peer {
  readonly capsule: CapsuleSource;
  readonly pointer: string;
  readonly name: string;
}

/** Of its own text: what it inherits is told of where it stands. */
function peersOf(capsule: CapsuleSource): readonly Peer[] {
  return Object.entries((capsule.own ?? capsule.declared).value.spec.components ?? {}).flatMap(([component, { network }]) =>
    (['ingressFrom', 'egressTo'] as const).flatMap((field) =>
      (network?.[field] ?? []).flatMap((name, at): readonly Peer[] =>
        name.startsWith('dependency:')
          ? []
          : [{ capsule, pointer: `/spec/components${pointerToken(component)}/network/${field}/${at}`, name }],
      ),
    ),
  );
}

/** By request and lock, and by name of capsule for what others need in turn, be it here or imported. */
function knownInstances({ state, deployed, capsuleNames }: RuleContext): ReadonlySet<string> {
  return new Set([
    ...state.environments.flatMap(({ declared, lock }) => [
      ...Object.keys(declared.value.spec.capsules ?? {}),
      ...Object.keys(lock?.value.capsules ?? {}),
    ]),
    ...[...deployed.values()].flatMap((names) => [...names]),
    ...state.capsules.flatMap(({ declared }) =>
      Object.values(declared.value.spec.dependencies ?? {}).flatMap(({ capsule }) => capsule ?? []),
    ),
    ...capsuleNames,
  ]);
}
