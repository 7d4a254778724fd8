import type { CapsuleComponent } from '#model/declarations.generated.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { quantityText } from '#model/quantity.ts';
import { milliseconds, quantityAt } from './amount.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { compact, configValue, report, unlessEmpty } from './scope.ts';

type Scaling = NonNullable<CapsuleComponent['scaling']>;
type Horizontal = NonNullable<Scaling['horizontal']>;
type Metadata = (name: string) => JsonObject;

/** What changes the number or the size of the component's pods while they run. */
export function scalersOf(scope: Scope, part: Part, metadata: Metadata): readonly JsonObject[] {
  const { scaling } = part.component;
  if (scaling === undefined) return [];
  return [...horizontalScaler(scope, part, metadata), ...verticalScaler(scope, part, metadata)];
}

/** Is the number of pods somebody else's, so that none may be rendered. */
export function isScaled(component: CapsuleComponent): boolean {
  return component.scaling?.horizontal !== undefined || (component.scaling?.schedule ?? []).length > 0;
}

export function isReplicated(component: CapsuleComponent): boolean {
  return component.kind === 'Deployment' || component.kind === 'StatefulSet';
}

/** The declared number of pods; undefined when nothing says it. */
export function replicasOf(scope: Scope, part: Part): number | undefined {
  const declared = part.component.scaling?.replicas;
  if (declared === undefined || typeof declared === 'number') return declared;
  const value = configValue(scope, declared.config);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  report(scope, `${part.pointer}/scaling/replicas`, {
    code: 'config-unset',
    rule: 'V-77',
    message: `replicas of ${part.componentName} come from config ${declared.config}, which is ${value === undefined ? 'not set' : 'not a whole number'}`,
    remedy: 'Give the key a default in the schema, or a value in the configuration.',
  });
  return undefined;
}

function impossible(scope: Scope, pointer: string, message: string): readonly never[] {
  report(scope, pointer, {
    code: 'scaling-impossible',
    rule: undefined,
    message,
    remedy: 'Correct the scaling of the component; `capstan explain scaling-impossible` says what each kind of scaling needs.',
  });
  return [];
}

function horizontalScaler(scope: Scope, part: Part, metadata: Metadata): readonly JsonObject[] {
  const { component, pointer } = part;
  if (!isScaled(component)) return [];
  const scaling: Scaling = component.scaling ?? {};
  const target = { apiVersion: 'apps/v1', kind: component.kind, name: part.name };
  if (!isReplicated(component)) {
    const field = scaling.horizontal === undefined ? 'schedule' : 'horizontal';
    return impossible(
      scope,
      `${pointer}/scaling/${field}`,
      `the number of pods of a ${component.kind} cannot be scaled (component ${part.componentName})`,
    );
  }
  if ((scaling.schedule ?? []).length > 0) return scheduledScaler(scope, part, { target, metadata, scaling });
  const { horizontal } = scaling;
  if (horizontal === undefined) return [];
  const spec = compact({
    behavior: behaviorOf(scope, part, horizontal),
    maxReplicas: horizontal.max,
    metrics: unlessEmpty(
      utilizations(horizontal).map(({ resource, percent }) => ({
        resource: { name: resource, target: { averageUtilization: percent, type: 'Utilization' } },
        type: 'Resource',
      })),
    ),
    minReplicas: horizontal.min,
    scaleTargetRef: target,
  });
  return [{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: metadata(part.name), spec }];
}

function behaviorOf(scope: Scope, part: Part, horizontal: Horizontal): JsonObject | undefined {
  const pointer = `${part.pointer}/scaling/horizontal/behavior`;
  const down = milliseconds(scope, horizontal.behavior?.scaleDownStabilization, `${pointer}/scaleDownStabilization`);
  const up = milliseconds(scope, horizontal.behavior?.scaleUpStabilization, `${pointer}/scaleUpStabilization`);
  const window = (value: number | undefined): JsonObject | undefined =>
    value === undefined ? undefined : { stabilizationWindowSeconds: Math.ceil(value / 1000) };
  return unlessEmpty(compact({ scaleDown: window(down), scaleUp: window(up) }));
}

/** A buffer of 20 % aims at a utilisation that leaves room for 20 % more load: 75 becomes 62. Without metrics Kubernetes takes 80 % of CPU. */
function utilizations(horizontal: Horizontal): readonly { readonly resource: 'cpu' | 'memory'; readonly percent: number }[] {
  const buffer = Number((horizontal.buffer ?? '0%').slice(0, -1)) / 100;
  const declared = horizontal.metrics ?? [];
  const metrics = declared.length === 0 && buffer > 0 ? [{ resource: 'cpu', targetUtilization: 80 } as const] : declared;
  return metrics.map(({ resource, targetUtilization }) => ({
    resource,
    percent: buffer === 0 ? targetUtilization : Math.max(1, Math.floor(targetUtilization / (1 + buffer))),
  }));
}

interface Scheduled {
  readonly target: JsonObject;
  readonly metadata: Metadata;
  readonly scaling: Scaling;
}

/**
 * A KEDA ScaledObject in place of the autoscaler. Each entry holds from its time to that of the next one in the list, the last to the
 * first; the smallest `min` holds always, and each larger one is a trigger of its own.
 */
function scheduledScaler(scope: Scope, part: Part, { target, metadata, scaling }: Scheduled): readonly JsonObject[] {
  const pointer = `${part.pointer}/scaling/schedule`;
  const { horizontal, schedule = [] } = scaling;
  const [first] = schedule;
  if (first === undefined || schedule.length < 2)
    return impossible(scope, pointer, `the schedule of component ${part.componentName} has one entry, which nothing ever ends`);
  const zones = new Set(schedule.map((entry) => entry.timeZone ?? 'Etc/UTC'));
  if (zones.size > 1)
    return impossible(
      scope,
      pointer,
      `the schedule of component ${part.componentName} names several time zones: ${[...zones].sort().join(', ')}`,
    );
  const bounded = schedule.findIndex((entry) => entry.max !== undefined);
  if (bounded >= 0)
    return impossible(
      scope,
      `${pointer}/${bounded}/max`,
      `a schedule moves the smallest number of pods, not the largest (component ${part.componentName})`,
    );
  const usual = horizontal?.min ?? replicasOf(scope, part) ?? 1;
  const wanted = schedule.map((entry, at) => ({ min: entry.min ?? usual, start: entry.cron, end: (schedule[at + 1] ?? first).cron }));
  const least = Math.min(...wanted.map((entry) => entry.min));
  const most = Math.max(...wanted.map((entry) => entry.min));
  if (horizontal !== undefined && most > horizontal.max)
    return impossible(
      scope,
      pointer,
      `the schedule of component ${part.componentName} wants ${most} pods, and horizontal.max is ${horizontal.max}`,
    );
  const cron = wanted.filter((entry) => entry.min > least);
  if (cron.length === 0)
    return impossible(scope, pointer, `every entry of the schedule of component ${part.componentName} wants ${least} pods`);
  const triggers: readonly JsonObject[] = [
    ...(horizontal === undefined ? [] : utilizations(horizontal)).map(({ resource, percent }) => ({
      metadata: { value: String(percent) },
      metricType: 'Utilization',
      type: resource,
    })),
    ...cron.map(({ min, start, end }) => ({
      metadata: { desiredReplicas: String(min), end, start, timezone: first.timeZone ?? 'Etc/UTC' },
      type: 'cron',
    })),
  ];
  const behavior = horizontal === undefined ? undefined : behaviorOf(scope, part, horizontal);
  const spec = compact({
    advanced: behavior === undefined ? undefined : { horizontalPodAutoscalerConfig: { behavior } },
    maxReplicaCount: horizontal?.max ?? most,
    minReplicaCount: least,
    scaleTargetRef: target,
    triggers,
  });
  return [{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: metadata(part.name), spec }];
}

const UPDATE_MODE = { initial: 'Initial', auto: 'Recreate' } as const;

/** Requests follow the use, limits stay as declared and bound them. What is scaled out by a resource is not scaled up by it. */
function verticalScaler(scope: Scope, part: Part, metadata: Metadata): readonly JsonObject[] {
  const { component, pointer } = part;
  const mode = component.scaling?.vertical?.mode ?? 'off';
  if (mode === 'off') return [];
  const apiVersion = component.kind === 'Job' || component.kind === 'CronJob' ? 'batch/v1' : 'apps/v1';
  const { horizontal } = component.scaling ?? {};
  const taken = new Set(horizontal === undefined ? [] : utilizations(horizontal).map((one) => one.resource));
  if (horizontal !== undefined && taken.size === 0) taken.add('cpu');
  const controlled = (['cpu', 'memory'] as const).filter((resource) => !taken.has(resource));
  if (controlled.length === 0)
    return impossible(
      scope,
      `${pointer}/scaling/vertical/mode`,
      `horizontal scaling of component ${part.componentName} uses cpu and memory, so vertical scaling has nothing left`,
    );
  const cpu = quantityAt(scope, component.resources?.cpu?.limit, `${pointer}/resources/cpu/limit`);
  const memory = quantityAt(scope, component.resources?.memory?.limit, `${pointer}/resources/memory/limit`);
  const bounds: Readonly<Record<'cpu' | 'memory', Json | undefined>> = {
    cpu: cpu === undefined ? undefined : quantityText(cpu, 'count'),
    memory: memory === undefined ? undefined : quantityText(memory, 'size'),
  };
  const spec = {
    resourcePolicy: {
      containerPolicies: [
        compact({
          containerName: part.componentName,
          controlledResources: controlled,
          controlledValues: 'RequestsOnly',
          maxAllowed: unlessEmpty(compact(Object.fromEntries(controlled.map((resource) => [resource, bounds[resource]])))),
        }),
      ],
    },
    targetRef: { apiVersion, kind: component.kind, name: part.name },
    updatePolicy: { updateMode: UPDATE_MODE[mode] },
  };
  return [{ apiVersion: 'autoscaling.k8s.io/v1', kind: 'VerticalPodAutoscaler', metadata: metadata(part.name), spec }];
}
