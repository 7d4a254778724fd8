/** One thing wrong with a Kubernetes object, wherever it came from. */
export interface ObjectFinding {
  readonly code:
    | 'object-api-deprecated'
    | 'object-api-removed'
    | 'object-field-missing'
    | 'object-field-unknown'
    | 'object-item-repeated'
    | 'object-kind-unknown'
    | 'object-too-large'
    | 'object-value-invalid';
  /** RFC 6901, into the object. */
  readonly pointer: string;
  /** What is wrong at the pointer: goes on after the pointer itself. */
  readonly message: string;
  readonly remedy: string;
  /** A server takes the object all the same. */
  readonly isTolerated: boolean;
  /** Another minor of Kubernetes may say otherwise. */
  readonly isOfMinor: boolean;
}
