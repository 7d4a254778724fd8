import type { CommitId } from '#model/digest.ts';
import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { objectFileName, objectKey } from '#model/kubernetes-object.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { toInstanceName } from '#model/names.ts';
import type { DriftIgnore } from '#model/plan.ts';
import type { RenderedInstanceFacts, RenderedObject, TargetRendering } from '#model/rendering.ts';

type DelegateTool = 'argocd' | 'flux';

/** Who puts a target's objects there in our place, and how. */
export interface Delegation {
  readonly tool: DelegateTool;
  /** Of the tool's own objects. */
  readonly namespace: string;
  readonly project: string;
  /** Address of the repository as the tool reaches it. */
  readonly repository: string;
  readonly secretRef: string | undefined;
  /** The cluster as the tool knows it; undefined: its own. */
  readonly cluster: string | undefined;
  readonly prune: boolean;
  readonly selfHeal: boolean;
  /** How often the tool compares, in milliseconds. */
  readonly interval: number;
  /** How long one attempt may take and how long to wait after one that failed, in milliseconds; undefined: as the tool does. */
  readonly timeout: number | undefined;
  readonly retryInterval: number | undefined;
  /** Attempts with one commit before it is left alone; undefined: five. */
  readonly attempts: number | undefined;
  /** Whether a commit counts as applied only once its objects are well (Flux). */
  readonly wait: boolean;
  readonly ignore: readonly DriftIgnore[];
}

/** The one instance of a delegated rendering. */
const DELEGATE = toInstanceName('delegate');

const IN_CLUSTER = 'https://kubernetes.default.svc';
/** Argo CD by itself tries a commit once. */
const ATTEMPTS = 5;
const RETRY_AFTER = 30_000;
const LONGEST_RETRY = 300_000;

/** A commit stays what it is: whoever has fetched it need not look again, and Flux clones the branch anew each time. */
const SOURCE_INTERVAL = 3_600_000;

/**
 * The objects that make another tool put `rendering` there: its branch at exactly this commit, so that the tool follows at once and gets
 * nothing before its turn. It keeps the digest of what it stands for; `render.metadata` is no manifest to either tool (both read by file ending).
 */
export function renderDelegation(rendering: TargetRendering, delegation: Delegation, commit: CommitId | undefined): TargetRendering {
  const made = { argocd: () => [application(rendering, delegation, commit)], flux: () => fluxObjects(rendering, delegation, commit) };
  const objects = made[delegation.tool]().map(toRendered);
  const facts: RenderedInstanceFacts = {
    capsule: delegation.tool,
    version: '',
    gitTree: '',
    sha256: rendering.digest,
    configSha256: rendering.digest,
    wave: 0,
  };
  return {
    target: { ...rendering.target, namespace: delegation.namespace },
    digest: rendering.digest,
    instances: new Map([[DELEGATE, facts]]),
    objects: objects.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    metadata: rendering.metadata,
  };
}

/** Without a commit (a dry run of what is not written yet) the branch. */
function application({ target }: TargetRendering, delegation: Delegation, commit: CommitId | undefined): KubernetesObject {
  const { cluster, prune, selfHeal, ignore } = delegation;
  const ignored = ignore.map(({ group = '*', kind = '*', name, paths }) => ({
    group,
    kind,
    ...(name === undefined ? {} : { name }),
    jsonPointers: paths,
  }));
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: metadataOf(target, delegation),
    spec: {
      project: delegation.project,
      source: {
        repoURL: delegation.repository,
        targetRevision: commit ?? branchOf(target),
        path: target.name,
        directory: { recurse: true },
      },
      destination: { ...(cluster === undefined ? { server: IN_CLUSTER } : { name: cluster }), namespace: target.namespace },
      ...(ignored.length === 0 ? {} : { ignoreDifferences: ignored }),
      syncPolicy: {
        automated: { prune, selfHeal },
        retry: retryOf(delegation),
        syncOptions: ['ServerSideApply=true', ...(ignored.length === 0 ? [] : ['RespectIgnoreDifferences=true'])],
      },
    },
  };
}

function retryOf({ attempts = ATTEMPTS, retryInterval = RETRY_AFTER }: Delegation): JsonObject {
  const longest = Math.max(LONGEST_RETRY, retryInterval);
  return { limit: attempts, backoff: { duration: goDuration(retryInterval), factor: 2, maxDuration: goDuration(longest) } };
}

function fluxObjects({ target }: TargetRendering, delegation: Delegation, commit: CommitId | undefined): readonly KubernetesObject[] {
  const { secretRef, cluster, prune, timeout, retryInterval } = delegation;
  const interval = goDuration(delegation.interval);
  const metadata = metadataOf(target, delegation);
  const source: KubernetesObject = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: {
      url: delegation.repository,
      interval: goDuration(Math.max(delegation.interval, SOURCE_INTERVAL)),
      ref: { branch: branchOf(target), ...(commit === undefined ? {} : { commit }) },
      ...(secretRef === undefined ? {} : { secretRef: { name: secretRef } }),
    },
  };
  const kustomization: KubernetesObject = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: {
      interval,
      path: `./${target.name}`,
      ...(timeout === undefined ? {} : { timeout: goDuration(timeout) }),
      ...(retryInterval === undefined ? {} : { retryInterval: goDuration(retryInterval) }),
      prune,
      wait: delegation.wait,
      // What it put there stays when the delegation ends: whoever follows takes it over.
      deletionPolicy: 'Orphan',
      sourceRef: { kind: 'GitRepository', name: metadata.name },
      ...(cluster === undefined ? {} : { kubeConfig: { secretRef: { name: cluster } } }),
    },
  };
  return [source, kustomization];
}

function metadataOf(
  { environment, name }: TargetRendering['target'],
  { namespace }: Delegation,
): JsonObject & { readonly name: string; readonly namespace: string } {
  return { name: `capstan-${environment}.${name}`, namespace };
}

/** Days and weeks are no units there. */
function goDuration(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

function branchOf({ environment }: TargetRendering['target']): string {
  return `rendered/${environment}`;
}

function toRendered(object: KubernetesObject): RenderedObject {
  const text = writeKubernetesYaml(object);
  return {
    key: objectKey(object),
    instance: DELEGATE,
    path: `${DELEGATE}/${objectFileName(object)}`,
    sha256: sha256Of(text),
    object,
    text,
  };
}
