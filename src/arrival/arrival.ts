import type { Arrival, Luggage, SourceKind } from '#model/arrival.ts';
import { fromArgocd } from './argocd.ts';
import type { Drafts } from './drafts.ts';
import { fromFlux } from './flux.ts';
import { fromHelm } from './helm.ts';
import { fromKustomize } from './kustomize.ts';
import { fromManifests } from './manifests.ts';
import { filesOf } from './written.ts';

export interface ArrivalRequest {
  readonly kind: SourceKind;
  readonly luggage: Luggage;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  /** Name of the environment where the source knows none. */
  readonly environment: string;
  /** `file:line` of documents that cannot be rendered -> why. */
  readonly refused: ReadonlyMap<string, string>;
}

/** What people have, as capsules and environments; everything that did not come along is in `leftOut`. */
export function arrive(request: ArrivalRequest): Arrival {
  const drafts = draftsOf(request);
  return {
    files: filesOf(request.luggage.name, drafts),
    mapped: drafts.mapped,
    leftOut: drafts.leftOut,
    origins: drafts.origins,
  };
}

function draftsOf(request: ArrivalRequest): Drafts {
  switch (request.kind) {
    case 'argocd':
      return fromArgocd(request.luggage, request);
    case 'flux':
      return fromFlux(request.luggage, request);
    case 'manifests':
      return fromManifests(request.luggage, request);
    case 'helm':
      return fromHelm(request.luggage, request);
    case 'kustomize':
      return fromKustomize(request.luggage, request);
  }
}
