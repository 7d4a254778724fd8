import type { ObjectKey } from '#model/kubernetes-object.ts';
import { anyKind } from './any-kind.ts';
import { application, rollout, workflow } from './argo.ts';
import {
  apiService,
  customResourceDefinition,
  horizontalPodAutoscaler,
  job,
  namespace,
  persistentVolumeClaim,
  podDisruptionBudget,
  service,
} from './cluster-kinds.ts';
import { crossplaneObject, isCrossplane } from './crossplane.ts';
import { ACCEPTED, READY, certificate, clusterApiObject, inferenceService, scaledObject } from './custom-kinds.ts';
import { fluxObject, helmRepository } from './flux.ts';
import { gateway, route } from './gateway.ts';
import type { Rule, Seen } from './seen.ts';
import { HEALTHY, isUnobserved, progressing } from './seen.ts';
import { daemonSet, deployment, pod, replicaSet, statefulSet } from './workloads.ts';

/**
 * One row teaches health about a kind: the rule by `group/kind`. Kinds of no row are judged by conditions that many share. Those of Kubernetes
 * follow kstatus (pkg/kstatus/status of kubernetes-sigs/cli-utils), those of others the API types of their project.
 */
const KINDS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['apps/Deployment', deployment],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['apps/ReplicaSet', replicaSet],
  ['/Pod', pod],
  ['batch/Job', job],
  ['/Service', service],
  ['/PersistentVolumeClaim', persistentVolumeClaim],
  ['/Namespace', namespace],
  ['policy/PodDisruptionBudget', observed(podDisruptionBudget)],
  ['autoscaling/HorizontalPodAutoscaler', observed(horizontalPodAutoscaler)],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinition],
  ['apiregistration.k8s.io/APIService', apiService],
  // Their status says nothing of whether they do what git says: many controllers never write an Ingress' address.
  ['batch/CronJob', always],
  ['networking.k8s.io/Ingress', always],

  ['cert-manager.io/Certificate', observed(certificate)],
  ['cert-manager.io/Issuer', observed(READY)],
  ['cert-manager.io/ClusterIssuer', observed(READY)],
  ['external-secrets.io/ExternalSecret', observed(READY)],
  ['external-secrets.io/ClusterExternalSecret', observed(READY)],
  ['external-secrets.io/SecretStore', observed(READY)],
  ['external-secrets.io/ClusterSecretStore', observed(READY)],
  ['argoproj.io/Rollout', rollout],
  ['argoproj.io/Application', application],
  ['argoproj.io/Workflow', workflow],
  ['kustomize.toolkit.fluxcd.io/Kustomization', fluxObject],
  ['helm.toolkit.fluxcd.io/HelmRelease', fluxObject],
  ['source.toolkit.fluxcd.io/GitRepository', fluxObject],
  ['source.toolkit.fluxcd.io/OCIRepository', fluxObject],
  ['source.toolkit.fluxcd.io/HelmChart', fluxObject],
  ['source.toolkit.fluxcd.io/Bucket', fluxObject],
  ['source.toolkit.fluxcd.io/HelmRepository', helmRepository],
  ['serving.knative.dev/Service', observed(READY)],
  ['serving.knative.dev/Configuration', observed(READY)],
  ['serving.knative.dev/Route', observed(READY)],
  ['serving.kserve.io/InferenceService', observed(inferenceService)],
  ['gateway.networking.k8s.io/GatewayClass', ACCEPTED],
  ['gateway.networking.k8s.io/Gateway', gateway],
  ['gateway.networking.k8s.io/HTTPRoute', route],
  ['gateway.networking.k8s.io/GRPCRoute', route],
  ['gateway.networking.k8s.io/TLSRoute', route],
  ['gateway.networking.k8s.io/TCPRoute', route],
  ['gateway.networking.k8s.io/UDPRoute', route],
  ['keda.sh/ScaledObject', scaledObject],
  ['keda.sh/ScaledJob', scaledObject],
  ['cluster.x-k8s.io/Cluster', observed(clusterApiObject)],
  ['cluster.x-k8s.io/Machine', observed(clusterApiObject)],
  ['cluster.x-k8s.io/MachineDeployment', observed(clusterApiObject)],
  ['cluster.x-k8s.io/MachinePool', observed(clusterApiObject)],
]);

/** The same by kind and group: looked up for every object of a target, so no text is put together. */
const RULES: ReadonlyMap<string, ReadonlyMap<string, Rule>> = byKind();

function byKind(): ReadonlyMap<string, ReadonlyMap<string, Rule>> {
  const rows = [...KINDS].map(([name, rule]) => {
    const [group = '', kind = ''] = name.split('/');
    return { group, kind, rule };
  });
  return new Map(
    [...Map.groupBy(rows, (row) => row.kind)].map(([kind, found]) => [kind, new Map(found.map((row) => [row.group, row.rule]))]),
  );
}

/** The rule of a kind; undefined where nothing that is written for it says how it is. */
export function ruleOf(key: ObjectKey): Rule | undefined {
  return RULES.get(key.kind)?.get(key.group);
}

/** Rule of a kind that no row names. */
export function unlisted({ group, kind }: ObjectKey): Rule {
  return observed((seen: Seen) => (group !== '' && isCrossplane(seen, group) ? crossplaneObject(seen, kind) : anyKind(seen)));
}

function always() {
  return HEALTHY;
}

/** What is said of an earlier generation says nothing of this one. */
function observed(rule: Rule): Rule {
  return (seen) => (isUnobserved(seen) ? progressing('its controller has not seen the last change') : rule(seen));
}
