import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Codes of what the schemas of Kubernetes say of rendered objects, sorted. */
export const OBJECT_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'kubernetes-minor-not-shipped': {
    rule: undefined,
    title: 'A target runs a Kubernetes whose schemas are not shipped',
    why: 'Its objects are judged by the nearest minor that is; what that one does not know may be right all the same, so it is a warning.',
    example: 'facts: { kubernetes: "1.29" }',
    remedy: 'Correct the fact if it is wrong; otherwise look at the warnings, and let the server have the last word.',
  },
  'object-api-deprecated': {
    rule: 'V-87',
    title: 'An object uses an API version that will go',
    why: 'A later Kubernetes has it no more, and the object could not be applied there.',
    example: 'apiVersion: v1 with kind: Endpoints',
    remedy: 'Write it in the version that the message names.',
  },
  'object-api-removed': {
    rule: 'V-87',
    title: 'An object uses an API version that the target does not have any more',
    why: 'The server would refuse the whole object.',
    example: 'apiVersion: policy/v1beta1 with kind: PodDisruptionBudget',
    remedy: 'Write it in the version that the message names; fields may differ.',
  },
  'object-field-missing': {
    rule: 'V-87',
    title: 'An object lacks a field that its kind needs',
    why: 'The server would refuse it, or what runs would not be what was meant.',
    example: 'spec: { template: { ... } } of a Deployment without selector',
    remedy: 'Add the field.',
  },
  'object-field-unknown': {
    rule: 'V-87',
    title: 'An object has a field that its kind does not know',
    why: 'A server drops it without a word, and what it was written for does not happen.',
    example: 'imagePullPolcy: Always',
    remedy: 'Correct the name of the field, or remove it.',
  },
  'object-item-repeated': {
    rule: 'V-87',
    title: 'Two items of a list are one to whoever merges it',
    why: 'When the object is applied one of the two is lost.',
    example: 'env: [{ name: A, value: x }, { name: A, value: y }]',
    remedy: 'Leave one of them, or tell them apart by the keys that the message names.',
  },
  'object-kind-unknown': {
    rule: 'V-87',
    title: 'A group of Kubernetes does not have this kind',
    why: 'The server would refuse the object.',
    example: 'apiVersion: apps/v1 with kind: Ingress',
    remedy: 'Correct apiVersion and kind; the message names what is near.',
  },
  'object-too-large': {
    rule: 'V-87',
    title: 'An object is too large to be judged whole',
    why: 'Judging is cut off where it would take too long; what was not looked at may be wrong.',
    example: '',
    remedy: 'Make several objects of it.',
  },
  'object-value-invalid': {
    rule: 'V-87',
    title: 'A field of an object has a value that it cannot have',
    why: 'The server would refuse the object.',
    example: 'replicas: "3"',
    remedy: 'Give a value of the kind that the message names.',
  },
};
