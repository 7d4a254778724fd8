import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Codes of what components declare of themselves; sorted. */
export const WORKLOAD_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'availability-unsatisfiable': {
    rule: 'V-38',
    title: 'Availability asks for more than the replicas can give',
    why: 'A disruption budget that allows no eviction blocks every drain of a node; one that allows all protects nothing.',
    example: 'scaling: { replicas: 2 } and disruptionBudget: { minAvailable: 2 }',
    remedy: 'Raise the replicas, or ask for less.',
  },
  'cpu-out-of-order': {
    rule: 'V-32',
    title: 'CPU amounts contradict each other',
    why: 'What is requested must fit below the limit, and the limit below the burst.',
    example: 'cpu: { request: 500m, limit: 250m }',
    remedy: 'Lower what comes first, or raise what follows.',
  },
  'liveness-too-strict': {
    rule: 'V-40',
    title: 'Liveness gives up before readiness does',
    why: 'A pod that needs its time to become ready would be killed again and again.',
    example: 'liveness with failureThreshold 1 beside a readiness with the defaults',
    remedy: 'Give liveness at least the time that readiness has, or use a startup probe.',
  },
  'memory-over-limit': {
    rule: 'V-33',
    title: 'Memory that is asked for exceeds its limit',
    why: 'What is requested is request and buffer together; a pod cannot ask for more than it may use.',
    example: 'memory: { request: 96Mi, buffer: 128Mi, limit: 192Mi }',
    remedy: 'Raise the limit, or lower request or buffer.',
  },
  'name-undeclared': {
    rule: 'V-29',
    title: 'A component uses a name that its capsule does not declare',
    why: 'Ports, volumes, storage and other components are wired by name inside the capsule; a name that is nowhere cannot be rendered.',
    example: 'volumes: { data: { mountPath: /data, storage: dta } }',
    remedy: 'Use one of the names that the message lists, or declare it.',
  },
  'probe-port-unknown': {
    rule: 'V-40',
    title: 'A probe names a port that its component does not have',
    why: 'The probe would fail for ever, and the pod would never be ready.',
    example: 'probes: { readiness: { tcp: { port: htpp } } }',
    remedy: 'Use one of the ports of the component, or declare it below ports.',
  },
  'replicas-ignored': {
    rule: 'V-36',
    title: 'Replicas are declared beside horizontal scaling',
    why: 'Horizontal scaling decides the number; a second one would be fought over.',
    example: 'scaling: { replicas: 3, horizontal: { min: 2, max: 10 } }',
    remedy: 'Take replicas out; horizontal.min is where it begins.',
  },
  'scaling-contradicts': {
    rule: 'V-37',
    title: 'Two kinds of scaling work on one metric',
    why: 'The one raises what the other lowers.',
    example: 'vertical: { mode: auto } and a horizontal metric on cpu',
    remedy: 'Use vertical.mode initial or off, or another metric.',
  },
  'scaling-needs-request': {
    rule: 'V-35',
    title: 'Horizontal scaling lacks the request it measures by',
    why: 'Utilization is a share of what is requested; without a request there is none.',
    example: 'metrics: [{ resource: cpu, targetUtilization: 75 }] without resources.cpu.request',
    remedy: 'Add the request.',
  },
  'scaling-range': {
    rule: 'V-34',
    title: 'The range of horizontal scaling is none',
    why: 'The smallest number cannot be greater than the largest, and a buffer is a share of 0 to 100 %.',
    example: 'horizontal: { min: 5, max: 3 }',
    remedy: 'Correct min, max or buffer.',
  },
};
