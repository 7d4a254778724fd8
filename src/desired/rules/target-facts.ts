import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { CapsuleSource, DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import { type Json, pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { isInRange, parseRange } from '#model/version.ts';
import { closureOf, selects } from './targets.ts';

/** V-52 and V-53: what a capsule needs of a target is what the target declares. What it does not declare is left to the running system. */
export function targetFactProblems(context: RuleContext): readonly Problem[] {
  return context.state.environments.flatMap((environment) =>
    environment.targets.flatMap((target) =>
      capsulesOn(context, environment, target).flatMap((capsule) => [
        ...placementProblems(environment, target, capsule),
        ...kubernetesProblems(environment, target, capsule),
      ]),
    ),
  );
}

function capsulesOn(context: RuleContext, environment: DesiredEnvironment, target: DeclaredTarget): readonly CapsuleSource[] {
  const requests = Object.entries(environment.declared.value.spec.capsules ?? {});
  const chosen = requests.filter(([, request]) => request.enabled !== false && selects(request.targets, target.value.labels));
  const names = closureOf(
    context,
    chosen.map(([instance, request]) => capsuleOf(instance, request)),
  );
  return names.flatMap((name) => context.capsules.get(name) ?? []);
}

/** V-52. A list means one of. */
function placementProblems(environment: DesiredEnvironment, target: DeclaredTarget, capsule: CapsuleSource): readonly Problem[] {
  const facts = new Map(Object.entries(target.value.facts ?? {}));
  return Object.entries(capsule.declared.value.spec.components ?? {}).flatMap(([component, { placement }]) =>
    Object.entries(placement?.requires ?? {}).flatMap(([fact, wanted]) => {
      const found = facts.get(fact);
      if (found === undefined || listOf(wanted).some((one) => listOf(found).includes(one))) return [];
      const place = capsule.declared.at(`/spec/components${pointerToken(component)}/placement/requires${pointerToken(fact)}`);
      return [
        problemOf({
          code: 'target-does-not-fit',
          rule: 'V-52',
          place: target.at(`/facts${pointerToken(fact)}`),
          message: `${capsule.name} needs ${visibleText(fact, 60)} ${textOf(wanted)}; target ${environment.name}/${target.name} has ${textOf(found)}`,
          remedy: 'Keep the capsule off this target (capsules.<instance>.targets), or correct what it needs or what the target declares.',
          related: relatedTo(place, 'needed here'),
        }),
      ];
    }),
  );
}

/** V-53. */
function kubernetesProblems(environment: DesiredEnvironment, target: DeclaredTarget, capsule: CapsuleSource): readonly Problem[] {
  const supported = capsule.declared.value.spec.compatibility?.kubernetes;
  const running = target.value.facts?.kubernetes;
  const range = supported === undefined ? undefined : parseRange(supported);
  if (target.value.driver !== 'kubernetes' || supported === undefined || range === undefined || typeof running !== 'string') return [];
  const version = plainVersion(running);
  if (version === undefined || isInRange(version, range)) return [];
  return [
    problemOf({
      code: 'kubernetes-version',
      rule: 'V-53',
      place: target.at('/facts/kubernetes'),
      message: `${capsule.name} supports Kubernetes ${quoted(supported)}; target ${environment.name}/${target.name} runs ${quoted(running)}`,
      remedy: 'Upgrade the cluster, use another version of the capsule, or keep it off this target.',
      related: relatedTo(capsule.declared.at('/spec/compatibility/kubernetes'), 'declared here'),
    }),
  ];
}

/** `v1.34.1-gke.1200` and `1.34` as 1.34.1 and 1.34.0. */
function plainVersion(text: string): string | undefined {
  const match = /^v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:[-+].*)?$/.exec(text);
  return match === null ? undefined : `${match[1]}.${match[2]}.${match[3] ?? '0'}`;
}

function listOf(value: Json | readonly Json[]): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [value as Json];
}

function textOf(value: Json | readonly Json[]): string {
  return listOf(value)
    .map((one) => visibleText(JSON.stringify(one), 40))
    .join(' or ');
}
