import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { Secret } from '#model/secret.ts';

/**
 * An encrypted file of an environment and what of it becomes a Secret. It travels beside a rendered object, whose text has placeholders:
 * the values exist only where a target is written.
 */
export interface SealedDocument {
  readonly format: 'sops';
  /** `yaml` or `json`, as sops names them. */
  readonly type: 'yaml' | 'json';
  readonly text: string;
  /** Key of the Secret -> key of the file. */
  readonly keys: Readonly<Record<string, string>>;
}

/** An encrypted file as it lies in git: `blob` is its content address. */
export interface SealedFile {
  readonly blob: string;
  readonly text: string;
}

/** What stands for each value in everything that is written down. */
export const SEALED_VALUE = 'sealed: opened where it is applied';

/** Largest encrypted file that is read. */
export const SEALED_LIMIT = 1024 * 1024;

/** Whether a Secret holds placeholders only. */
export function isSealed(values: JsonObject): boolean {
  return Object.values(values).every((value) => value === SEALED_VALUE);
}

/** The text that is applied: every placeholder replaced. Undefined where the text has one that `values` does not name, or other values. */
export function unsealedText(text: string, values: ReadonlyMap<string, Secret>): Secret['reveal'] | undefined {
  const read = readKubernetesYaml(text, 'rendered object');
  const object = read.ok ? read.value[0]?.value : undefined;
  const placeholders = isJsonObject(object) ? object['stringData'] : undefined;
  if (!isJsonObject(object) || !isJsonObject(placeholders) || !isSealed(placeholders)) return undefined;
  const opened = Object.keys(placeholders).map((key): [string, Json | undefined] => [key, values.get(key)?.reveal()]);
  if (opened.some(([, value]) => value === undefined)) return undefined;
  const written = writeKubernetesYaml({ ...object, stringData: Object.fromEntries(opened) as JsonObject });
  return () => written;
}
