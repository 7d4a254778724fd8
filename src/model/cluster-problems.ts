import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Entries of what clusters say to what is written to them. */
export const CLUSTER_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'admission-denied': {
    rule: undefined,
    title: "A cluster's admission refused an object",
    why: 'A policy or a webhook of the cluster decides what may be there; it is asked for each write and never gone around.',
    example: 'a ValidatingAdmissionPolicy that wants a label on every Deployment',
    remedy: 'Make the object what the named policy wants, or have the policy changed by whom it belongs to.',
  },
  'deletion-blocked': {
    rule: undefined,
    title: 'An object that was removed stays, because something holds it',
    why: 'A finalizer says that some controller has work to do before the object may go; nobody can tell whether it ever will.',
    example: 'metadata: { finalizers: [example.com/cleanup], deletionTimestamp: ... } and no controller for it',
    remedy: 'Let the controller of the named finalizer finish; take the finalizer away only if what it cleans up is gone.',
  },
  'deletion-pending': {
    rule: undefined,
    title: 'An object that was removed is not gone yet',
    why: 'The environment waits until removed objects are gone, what they started with them (sync.deletionPolicy: WaitForTermination).',
    example: 'a Deployment whose pods still end',
    remedy: 'Nothing to do: the run goes on when it is gone.',
  },
  'field-conflict': {
    rule: undefined,
    title: 'Fields of an object are held by somebody else',
    why: 'Another controller or person set them to other values; two that write the same field would undo each other forever.',
    example: 'replicas set by a HorizontalPodAutoscaler and by git',
    remedy: 'Take the fields out of git, name them under sync.drift.ignore, or adopt the object (targets.<target>.adopt).',
  },
  'immutable-field': {
    rule: undefined,
    title: 'A field of an object cannot be changed in place',
    why: 'The server keeps such fields for the life of the object; deleting and making it again loses what hangs on it, so git has to say it.',
    example: 'another selector of a Deployment that exists',
    remedy: 'Take the change back, name the object anew, or allow it: annotation capstan.dev/recreate: "true", or sync.force.',
  },
  'not-permitted': {
    rule: undefined,
    title: 'The user of some credentials may not write an object',
    why: 'The rights of the cluster (RBAC) decide what an environment may touch; nothing is tried under another user.',
    example: 'a ClusterRole in an environment whose user may write to one namespace',
    remedy: 'Give the user the rights it needs for this kind, or take the object out of git.',
  },
  'object-rejected': {
    rule: undefined,
    title: 'A server rejected an object',
    why: 'The object is not what its kind allows; the server says which field.',
    example: 'spec: { replicas: many }',
    remedy: 'Correct the named field where the object comes from.',
  },
  'outside-credentials': {
    rule: undefined,
    title: 'An object lies outside of what its credentials may write',
    why: 'The configuration of the service bounds each environment to namespaces and kinds, before any request is sent.',
    example: 'an object of namespace kube-system in an environment for namespace shop',
    remedy: 'Move the object, or widen namespaces or clusterResources of the credentials in the configuration.',
  },
  'place-missing': {
    rule: undefined,
    title: 'There is no place for an object: its namespace or its kind is missing',
    why: 'An object can be written only into a namespace that exists, and only if the server knows its kind.',
    example: 'a Certificate on a cluster without cert-manager',
    remedy: 'Bring the namespace or the definition of the kind to the cluster, in git or beside it.',
  },
  'prune-protected': {
    rule: undefined,
    title: 'An object that git no longer names was kept',
    why: 'An annotation on it says that it is not to be removed by a machine.',
    example: 'capstan.dev/prune: "false" on a PersistentVolumeClaim',
    remedy: 'Remove it by hand when it is not needed any more, or take the annotation away.',
  },
};
