import type { JsonObject } from '#model/json.ts';

/** Everything the answer of a foreign renderer follows from; the files are those of the capsule, named from its own directory. */
export type ForeignRequest = HelmRequest | KustomizeRequest;

interface ForeignSource {
  /** Exact version of the program. */
  readonly version: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The chart (folder or archive) or the folder of the kustomization. */
  readonly path: string;
}

export interface HelmRequest extends ForeignSource {
  readonly tool: 'helm';
  /** The release: `{{ .Release.Name }}` and its namespace. */
  readonly name: string;
  readonly namespace: string;
  readonly values: JsonObject;
  /** What `.Capabilities` answers; a chart is never rendered against a live cluster. */
  readonly kubernetes: string;
  readonly apiVersions: readonly string[];
}

export interface KustomizeRequest extends ForeignSource {
  readonly tool: 'kustomize';
}

export type ForeignTool = ForeignRequest['tool'];

export type ForeignAnswer =
  /** YAML documents, as the program printed them. */
  | { readonly kind: 'rendered'; readonly text: string }
  /** The program refused; its own words, cut and without paths of this machine. */
  | { readonly kind: 'failed'; readonly message: string }
  /** It was ended; `what` finishes the sentence "helm ...". */
  | { readonly kind: 'limit'; readonly what: string }
  /** This machine does not have that version, or has another file in its place; `found` says what is here. */
  | { readonly kind: 'missing'; readonly found: string };

/** Files of a request below its own folder: a chart needs no others, a kustomization may name its neighbours. */
export function filesBelow(files: ReadonlyMap<string, Uint8Array>, path: string): ReadonlyMap<string, Uint8Array> {
  return new Map([...files].filter(([file]) => file === path || file.startsWith(`${path}/`)));
}

/** The versions that imports and examples name. */
export const USUAL_TOOLS: Readonly<Record<ForeignTool, string>> = { helm: '3.22.0', kustomize: '5.8.2' };
