/** Kinds of the whole cluster, by group. Kinds of groups that nobody here knows are taken as namespaced unless their name says `Cluster`. */
const CLUSTER_SCOPED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['', new Set(['Namespace', 'Node', 'PersistentVolume', 'ComponentStatus'])],
  [
    'admissionregistration.k8s.io',
    new Set([
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'MutatingAdmissionPolicy',
      'MutatingAdmissionPolicyBinding',
    ]),
  ],
  ['apiextensions.k8s.io', new Set(['CustomResourceDefinition'])],
  ['apiregistration.k8s.io', new Set(['APIService'])],
  ['certificates.k8s.io', new Set(['CertificateSigningRequest', 'ClusterTrustBundle'])],
  ['flowcontrol.apiserver.k8s.io', new Set(['FlowSchema', 'PriorityLevelConfiguration'])],
  ['gateway.networking.k8s.io', new Set(['GatewayClass'])],
  ['internal.apiserver.k8s.io', new Set(['StorageVersion'])],
  ['networking.k8s.io', new Set(['IngressClass', 'IPAddress', 'ServiceCIDR'])],
  ['node.k8s.io', new Set(['RuntimeClass'])],
  ['rbac.authorization.k8s.io', new Set(['ClusterRole', 'ClusterRoleBinding'])],
  ['resource.k8s.io', new Set(['DeviceClass', 'DeviceTaintRule', 'ResourceSlice'])],
  ['scheduling.k8s.io', new Set(['PriorityClass'])],
  ['snapshot.storage.k8s.io', new Set(['VolumeSnapshotClass', 'VolumeSnapshotContent'])],
  ['storagemigration.k8s.io', new Set(['StorageVersionMigration'])],
  ['storage.k8s.io', new Set(['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment', 'VolumeAttributesClass'])],
]);

export function isClusterScoped(group: string, kind: string): boolean {
  const known = CLUSTER_SCOPED.get(group);
  if (known !== undefined) return known.has(kind);
  return kind.startsWith('Cluster') && group.includes('.') && !group.endsWith('.k8s.io');
}

const REVIEWS =
  /^(Token|SubjectAccess|SelfSubjectAccess|SelfSubjectRules|SelfSubject|LocalSubjectAccess|Admission|Conversion|Image)Review$/;
const MOMENTARY: ReadonlySet<string> = new Set([
  'Event',
  'Binding',
  'Status',
  'List',
  'Eviction',
  'Scale',
  'TokenRequest',
  'PodExecOptions',
  'DeleteOptions',
]);

/** Why a kind cannot be declared; undefined when it can. */
export function forbiddenKind(group: string, kind: string): string | undefined {
  const builtIn = group === '' || group.endsWith('.k8s.io') || ['apps', 'batch', 'autoscaling', 'policy', 'events.k8s.io'].includes(group);
  if (builtIn && (MOMENTARY.has(kind) || REVIEWS.test(kind)))
    return `an object of kind ${kind} is a message to the server and cannot be declared`;
  return undefined;
}
