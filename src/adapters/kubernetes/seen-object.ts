import type { Sha256 } from '#model/digest.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { LiveObject } from '#model/plan.ts';

/** Our field manager; its entry of operation Apply in `metadata.managedFields` names the fields that are ours. */
export const FIELD_MANAGER = 'capstan';
/** Put on every object that is applied, so that one watch sees what is ours and nothing else. */
export const ENVIRONMENT_LABEL = 'capstan.dev/environment';
export const TARGET_LABEL = 'capstan.dev/target';
/** On our own ConfigMaps. */
export const INVENTORY_LABEL = 'capstan.dev/inventory';
/** Annotation on every object that is applied: `<environment>/<target>/<namespace of the inventory>/<sha256 of the rendered text>`. */
export const APPLIED_ANNOTATION = 'capstan.dev/applied';

/** All that is kept of an object of a cluster: small, whatever its size. */
export interface SeenObject {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Digest of the fields our manager owns, with the values the server holds, ignored ones left out; undefined where it owns none. */
  readonly owned: Sha256 | undefined;
  /** Value of the annotation APPLIED_ANNOTATION; undefined unless our manager's entry of operation Apply names it. */
  readonly applied: string | undefined;
  /** Other field managers, for words about conflicts and drift. */
  readonly managers: readonly string[];
  /** Those of them that wrote more than a status since we last wrote. */
  readonly writers: readonly FieldWriter[];
  readonly isProtected: boolean;
  readonly live: LiveObject;
}

export interface FieldWriter {
  readonly manager: string;
  /** What it holds, as the text of its FieldsV1; undefined where that is too long to be kept. */
  readonly fields: string | undefined;
}

/** The objects of one kind and scope that carry our labels, kept current by a watch. */
export interface KindView {
  get(namespace: string, name: string): SeenObject | undefined;
  all(): Iterable<SeenObject>;
  /** Takes in an answer to a request of our own (a write unless said), so that nobody reads older than it. Older than what is held: ignored. */
  note(body: object, of?: 'write' | 'read'): SeenObject | undefined;
  forget(namespace: string, name: string, uid: string): void;
  /** False while the watch is broken and nobody knows what happened since. */
  isCurrent(): boolean;
}
