import { circleText, type Edge, findCircles } from '#desired/cycle.ts';
import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { parseDuration } from '#model/instant.ts';
import { pointerToken } from '#model/json.ts';
import { NOWHERE, type Place, type Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { parseRange, rangesIntersect } from '#model/version.ts';

/** V-41 to V-44 and V-50: how environments promote from each other. */
export function promotionProblems(context: RuleContext): readonly Problem[] {
  return [
    ...circleProblems(context),
    ...context.state.environments.flatMap((environment) => [
      ...unknownProblems(context, environment),
      ...requestProblems(context, environment),
      ...riskProblems(context, environment),
    ]),
  ];
}

const RISKS = ['low', 'medium', 'high', 'critical'] as const;

/** V-50: what is riskier comes later, and only after a soak. An entry environment has nothing to soak in. */
function riskProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const { risk, promotion } = environment.declared.value.spec;
  const upstream = upstreamNames(environment).flatMap((name, index) => {
    const up = context.environments.get(name);
    return up === undefined || name === environment.name ? [] : [{ name, index, risk: up.declared.value.spec.risk }];
  });
  const warn = (place: Place, message: string, remedy: string): Problem =>
    problemOf({ code: 'risk-order', rule: 'V-50', severity: 'warning', place, message, remedy });
  const unordered = upstream
    .filter((up) => RISKS.indexOf(up.risk) > RISKS.indexOf(risk))
    .map((up) =>
      warn(
        upstreamPlace(environment, up.index),
        `${environment.name} (${risk}) promotes from ${up.name} (${up.risk}), which is riskier`,
        'Promote from what is less risky, or correct the risk of one of them.',
      ),
    );
  const soaks = parseDuration(promotion?.soak ?? '0s') ?? 0;
  const isBare = upstream.length > 0 && RISKS.indexOf(risk) >= RISKS.indexOf('high') && soaks === 0;
  if (!isBare) return unordered;
  const place = environment.declared.at('/spec/promotion');
  return [...unordered, warn(place, `${environment.name} (${risk}) has no soak; add promotion.soak`, 'Add promotion.soak, such as 24h.')];
}

function upstreamNames(environment: DesiredEnvironment): readonly string[] {
  return environment.declared.value.spec.promotion?.from?.environments ?? [];
}

function upstreamPlace(environment: DesiredEnvironment, index: number): Place {
  return environment.declared.at(`/spec/promotion/from/environments/${index}`);
}

/** V-41, an environment that promotes from itself included. */
function circleProblems(context: RuleContext): readonly Problem[] {
  const edges: Edge<Place>[] = context.state.environments.flatMap((environment) =>
    upstreamNames(environment).map((to, index) => ({ from: environment.name, to, label: upstreamPlace(environment, index) })),
  );
  return findCircles(edges).map((circle) =>
    problemOf({
      code: 'promotion-cycle',
      rule: 'V-41',
      place: circle[0]?.label ?? NOWHERE,
      message: `promotion cycle: ${circleText(circle)}`,
      remedy: 'Take one of these environments out of promotion.from.environments.',
    }),
  );
}

/** V-42. */
function unknownProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  return upstreamNames(environment).flatMap((upstream, index) =>
    context.environmentNames.has(upstream)
      ? []
      : [
          problemOf({
            code: 'upstream-unknown',
            rule: 'V-42',
            place: upstreamPlace(environment, index),
            message: `${environment.name} promotes from ${quoted(upstream)}, which is not an environment${didYouMean(upstream, context.environmentNames)}`,
            remedy: `Use one of: ${listed([...context.environmentNames].sort())}.`,
          }),
        ],
  );
}

/** V-43 and V-44 for every enabled request; with `strategy: any` one upstream that fits is enough. */
function requestProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const { spec } = environment.declared.value;
  const upstreams = upstreamNames(environment).flatMap((name) => {
    const upstream = context.environments.get(name);
    return upstream === undefined ? [] : [{ environment: upstream, requests: requestsByCapsule(upstream) }];
  });
  if (upstreams.length === 0) return [];
  const any = spec.promotion?.from?.strategy === 'any';
  return Object.entries(spec.capsules ?? {}).flatMap(([instance, request]) => {
    if (request.enabled === false) return [];
    const capsule = capsuleOf(instance, request);
    const use: Use = { environment, instance, capsule, range: request.version };
    const findings = upstreams.map((upstream) => absentProblem(context, use, upstream.environment) ?? apartProblem(use, upstream));
    if (any && findings.includes(undefined)) return [];
    const problems = findings.filter((problem) => problem !== undefined);
    return any ? problems.slice(0, 1) : problems;
  });
}

interface Use {
  readonly environment: DesiredEnvironment;
  readonly instance: string;
  readonly capsule: string;
  readonly range: string;
}

function absentProblem(context: RuleContext, use: Use, upstream: DesiredEnvironment): Problem | undefined {
  if (context.deployed.get(upstream.name)?.has(use.capsule) === true) return undefined;
  return problemOf({
    code: 'upstream-lacks-capsule',
    rule: 'V-43',
    place: use.environment.declared.at(`/spec/capsules${pointerToken(use.instance)}`),
    message: `${use.environment.name} expects ${use.capsule} from ${upstream.name}, but ${upstream.name} does not deploy it`,
    remedy: `Request ${use.capsule} in ${upstream.name}, or disable it here.`,
    related: relatedTo(upstream.declared.at('/spec/capsules'), `what ${upstream.name} deploys`),
  });
}

interface Upstream {
  readonly environment: DesiredEnvironment;
  readonly requests: ReadonlyMap<string, readonly Requested[]>;
}

interface Requested {
  readonly instance: string;
  readonly version: string;
}

function requestsByCapsule(environment: DesiredEnvironment): ReadonlyMap<string, readonly Requested[]> {
  const found = new Map<string, Requested[]>();
  for (const [instance, request] of Object.entries(environment.declared.value.spec.capsules ?? {})) {
    if (request.enabled === false) continue;
    const capsule = capsuleOf(instance, request);
    const known = found.get(capsule);
    if (known === undefined) found.set(capsule, [{ instance, version: request.version }]);
    else known.push({ instance, version: request.version });
  }
  return found;
}

/** V-44: at least one of the upstream's ranges for that capsule must meet ours. */
function apartProblem(use: Use, upstream: Upstream): Problem | undefined {
  const mine = parseRange(use.range);
  const theirs = upstream.requests.get(use.capsule) ?? [];
  const first = theirs[0];
  if (mine === undefined || first === undefined) return undefined;
  const apart = theirs.every(({ version }) => {
    const range = parseRange(version);
    return range !== undefined && !rangesIntersect(mine, range);
  });
  if (!apart) return undefined;
  const { name, declared } = upstream.environment;
  return problemOf({
    code: 'ranges-apart',
    rule: 'V-44',
    place: use.environment.declared.at(`/spec/capsules${pointerToken(use.instance)}/version`),
    message: `${use.environment.name} accepts ${use.range} but ${name} deploys ${first.version}; nothing can be promoted`,
    remedy: 'Widen one of the two ranges until they meet.',
    related: relatedTo(declared.at(`/spec/capsules${pointerToken(first.instance)}/version`), `range of ${name}`),
  });
}
