import type { RuleContext } from '#desired/facts.ts';
import { problemOf, type Finding } from '#desired/finding.ts';
import type { CapsuleComponent, CapsuleProbe } from '#model/declarations.generated.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

interface Component {
  readonly name: string;
  readonly declared: CapsuleComponent;
  readonly at: (pointer: string) => Place;
}

/** V-38 and V-40: disruption budgets and zones can be met, and probes neither name what is not there nor kill too early. */
export function availabilityProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) =>
    Object.entries(capsule.declared.value.spec.components ?? {}).flatMap(([name, declared]) => {
      const base = `/spec/components${pointerToken(name)}`;
      const component: Component = { name, declared, at: (pointer) => capsule.declared.at(`${base}${pointer}`) };
      return [...disruption(component), ...probePorts(component), ...liveness(component)].map(problemOf);
    }),
  );
}

/** The fewest replicas there are meant to be; undefined where the configuration decides, or nothing is replicated. */
function replicasOf({ kind, scaling }: CapsuleComponent): number | undefined {
  if (kind !== 'Deployment' && kind !== 'StatefulSet') return undefined;
  const replicas = scaling?.horizontal?.min ?? scaling?.replicas ?? 1;
  return typeof replicas === 'number' ? replicas : undefined;
}

/** V-38. A component of no replica is switched off. */
function disruption({ name, declared, at }: Component): readonly Finding[] {
  const count = replicasOf(declared);
  const { disruptionBudget, minZones, leaderElection } = declared.availability ?? {};
  if (count === undefined || count === 0) return [];
  const findings: Finding[] = [];
  const report = (pointer: string, message: string, remedy: string): void =>
    void findings.push({ code: 'availability-unsatisfiable', rule: 'V-38', place: at(`/availability${pointer}`), message, remedy });
  const most = amountOf(disruptionBudget?.maxUnavailable, count);
  const least = amountOf(disruptionBudget?.minAvailable, count);
  if (most === 0 || (least !== undefined && least >= count))
    report(
      '/disruptionBudget',
      `disruption budget allows no eviction with ${replicaText(count)}`,
      'Allow one, or raise the replicas: a node could never be drained.',
    );
  else if (most !== undefined && most >= count)
    report(
      '/disruptionBudget/maxUnavailable',
      `disruption budget protects nothing: all of ${replicaText(count)} may go at once`,
      'Lower maxUnavailable, raise the replicas, or take the budget out.',
    );
  if (minZones !== undefined && minZones > count)
    report(
      '/minZones',
      `component ${name} cannot spread over ${minZones} zones with ${replicaText(count)}`,
      'Lower minZones, or raise the replicas.',
    );
  if (leaderElection === true && count < 2)
    report(
      '/leaderElection',
      `leader election of component ${name} needs 2 replicas; it has ${count}`,
      'Raise the replicas, or take leaderElection out.',
    );
  return findings;
}

function replicaText(count: number): string {
  return `${count} replica${count === 1 ? '' : 's'}`;
}

/** Percentages count as Kubernetes counts them: rounded up. */
function amountOf(value: number | string | undefined, count: number): number | undefined {
  if (value === undefined || typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  return percent === undefined ? undefined : Math.ceil((Number(percent) * count) / 100);
}

/** V-40: ports that probes name. */
function probePorts({ declared, at }: Component): readonly Finding[] {
  const known = Object.keys(declared.ports ?? {});
  return (['startup', 'liveness', 'readiness'] as const).flatMap((probe) =>
    (['httpGet', 'tcp', 'grpc'] as const).flatMap((form): Finding[] => {
      const port = declared.probes?.[probe]?.[form]?.port;
      if (typeof port !== 'string' || known.includes(port)) return [];
      const place = at(`/probes/${probe}/${form}/port`);
      return [
        {
          code: 'probe-port-unknown',
          rule: 'V-40',
          place,
          message: `${place.pointer ?? ''}: no port named ${quoted(port)} in this component (known: ${listed(known)})${didYouMean(port, known)}`,
          remedy: 'Use one of the known ports, or declare it below ports.',
        },
      ];
    }),
  );
}

/** V-40: a pod that is not ready yet is not killed. */
function liveness({ name, declared, at }: Component): readonly Finding[] {
  const { liveness: kills, readiness: waits } = declared.probes ?? {};
  if (kills === undefined || waits === undefined) return [];
  const [killed, given] = [windowOf(kills), windowOf(waits)];
  if (killed >= given) return [];
  return [
    {
      code: 'liveness-too-strict',
      rule: 'V-40',
      place: at('/probes/liveness'),
      message: `liveness of ${name} can kill the pod before readiness gives up (${killed}s < ${given}s)`,
      remedy: 'Raise periodSeconds or failureThreshold of liveness, or lower those of readiness.',
    },
  ];
}

/** Seconds until a probe has failed, with Kubernetes' defaults. */
function windowOf({ initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 }: CapsuleProbe): number {
  return initialDelaySeconds + periodSeconds * failureThreshold;
}
