import type { RenderUnit, UnitResult } from '#model/rendering.ts';

/** A capsule's content crosses to a worker once; units name it. */
export interface CapsuleMessage {
  readonly kind: 'capsule';
  readonly id: string;
  readonly capsule: RenderUnit['capsule'];
}

export interface ForgetMessage {
  readonly kind: 'forget';
  readonly id: string;
}

export interface BatchMessage {
  readonly kind: 'batch';
  readonly units: readonly { readonly capsule: string; readonly unit: Omit<RenderUnit, 'capsule'> }[];
}

export type ToWorker = CapsuleMessage | ForgetMessage | BatchMessage;

/** Sent once when the thread has loaded; then the results of each batch, in its order. */
export type FromWorker = { readonly kind: 'ready' } | { readonly kind: 'results'; readonly results: readonly UnitResult[] };

export interface WorkerLimits {
  /** Wall time of one unit; a batch gets no more than that, so a slow unit is found by rendering its batch one by one. */
  readonly unitMilliseconds: number;
  readonly outputCharacters: number;
  readonly heapMegabytes: number;
  /** A thread with nothing to do for so long is ended. */
  readonly restMilliseconds: number;
}

/** What a thread starts with. */
export interface ThreadData extends WorkerLimits {
  readonly compileCache: string | undefined;
}
