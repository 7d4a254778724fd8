import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { closureOf, selects } from './targets.ts';

type Strategy = NonNullable<Capsule['spec']['strategy']>;

/** V-93 (strategies; objectives are judged where they are rendered) and V-94: how a new version takes over can be done and judged. */
export function strategyProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => {
    const { strategy } = capsule.declared.value.spec;
    if (strategy === undefined) return [];
    return [...weights(capsule, strategy), ...analyses(capsule, strategy), ...traffic(context, capsule, strategy)];
  });
}

function invalid(capsule: CapsuleSource, pointer: string, message: string): Problem {
  return problemOf({
    code: 'strategy-invalid',
    rule: 'V-93',
    place: capsule.declared.at(`/spec/strategy${pointer}`),
    message: `${message} (${capsule.name})`,
    remedy: 'Correct the steps or the analysis of the strategy.',
  });
}

/** The last weight may be below 100: the strategy's end is the whole. */
function weights(capsule: CapsuleSource, strategy: Strategy): readonly Problem[] {
  const problems: Problem[] = [];
  let last: number | undefined;
  for (const [index, { setWeight }] of (strategy.canary?.steps ?? []).entries()) {
    if (setWeight === undefined) continue;
    if (last !== undefined && setWeight <= last)
      problems.push(invalid(capsule, `/canary/steps/${index}/setWeight`, `canary weights must increase: ${setWeight} after ${last}`));
    last = setWeight;
  }
  return problems;
}

function analyses(capsule: CapsuleSource, strategy: Strategy): readonly Problem[] {
  return Object.entries(strategy.analysis ?? {}).flatMap(([name, { onNoData }]) =>
    onNoData === undefined
      ? [
          invalid(
            capsule,
            `/analysis${pointerToken(name)}`,
            `analysis ${quoted(name)} does not say what no data means: onNoData is pass, fail or inconclusive`,
          ),
        ]
      : [],
  );
}

/** Strategies that send a part of the requests to the new version. */
const SHIFTING: ReadonlySet<string> = new Set(['canary', 'blueGreen', 'abTest', 'shadow']);
const KUBERNETES: ReadonlySet<string> = new Set(['gateway-api', 'istio', 'nginx', 'replicas', 'argo-rollouts', 'flagger', 'linkerd']);
/** What shifts traffic, by driver; a driver that is not here cannot. */
const PROVIDERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['kubernetes', KUBERNETES],
  ['delegate-argocd', KUBERNETES],
  ['delegate-flux', KUBERNETES],
]);

/** V-94. */
function traffic(context: RuleContext, capsule: CapsuleSource, strategy: Strategy): readonly Problem[] {
  const { type } = strategy;
  if (type === undefined || !SHIFTING.has(type)) return [];
  const problems: Problem[] = [];
  const provider = providerOf(strategy, type);
  const report = (pointer: string, message: string, remedy: string): void => {
    const place = capsule.declared.at(`/spec/strategy${pointer}`);
    problems.push(problemOf({ code: 'strategy-needs-traffic', rule: 'V-94', place, message, remedy }));
  };
  if (provider === undefined && type === 'canary')
    report('', `strategy canary of ${capsule.name} names no provider that shifts its traffic`, 'Add canary.provider, such as gateway-api.');
  if (!hasTwo(capsule) && (provider === 'replicas' || !hasRoute(capsule)))
    report(
      '/type',
      provider === 'replicas'
        ? `strategy ${type} of ${capsule.name} shifts by replicas and needs two of them`
        : `strategy ${type} of ${capsule.name} has neither two replicas nor a route that could be shared`,
      'Raise the replicas, or provide a port that can be routed.',
    );
  for (const environment of context.state.environments) {
    for (const target of environment.targets) {
      const { driver } = target.value;
      if (!isOn(context, capsule, { environment, target })) continue;
      const able = PROVIDERS.get(driver);
      if (able !== undefined && (provider === undefined || able.has(provider))) continue;
      problems.push(
        problemOf({
          code: 'strategy-needs-traffic',
          rule: 'V-94',
          place: target.at('/driver'),
          message:
            able === undefined
              ? `driver ${visibleText(driver, 60)} cannot shift traffic; strategy ${type} of ${capsule.name} on ${environment.name}/${target.name}`
              : `driver ${visibleText(driver, 60)} cannot shift traffic by ${visibleText(provider ?? '', 60)}; strategy ${type} of ${capsule.name} on ${environment.name}/${target.name}`,
          remedy: 'Keep the capsule off this target, or use a strategy that needs no traffic, such as rolling.',
          related: relatedTo(capsule.declared.at('/spec/strategy/type'), 'declared here'),
        }),
      );
    }
  }
  return problems;
}

function providerOf(strategy: Strategy, type: string): string | undefined {
  if (type === 'canary') return strategy.canary?.provider;
  const part = type === 'blueGreen' ? strategy.blueGreen : type === 'abTest' ? strategy.abTest : strategy.shadow;
  const provider = part?.['provider'];
  return typeof provider === 'string' ? provider : undefined;
}

/** What the configuration decides may be enough. */
function hasTwo(capsule: CapsuleSource): boolean {
  return Object.values(capsule.declared.value.spec.components ?? {}).some(({ scaling }) => {
    const replicas = scaling?.horizontal?.min ?? scaling?.replicas ?? 1;
    return typeof replicas !== 'number' || replicas >= 2;
  });
}

function hasRoute(capsule: CapsuleSource): boolean {
  const { components, provides } = capsule.declared.value.spec;
  const exposed = Object.values(components ?? {}).some(({ ports }) =>
    Object.values(ports ?? {}).some(({ expose }) => expose === 'internal' || expose === 'public'),
  );
  return exposed || Object.values(provides ?? {}).some(({ port }) => port !== undefined);
}

type Environment = RuleContext['state']['environments'][number];

function isOn(
  context: RuleContext,
  capsule: CapsuleSource,
  { environment, target }: { readonly environment: Environment; readonly target: Environment['targets'][number] },
): boolean {
  const requests = Object.entries(environment.declared.value.spec.capsules ?? {});
  const chosen = requests.filter(([, request]) => request.enabled !== false && selects(request.targets, target.value.labels));
  const names = chosen.map(([instance, request]) => capsuleOf(instance, request));
  return closureOf(context, names).includes(capsule.name);
}
