import { isJsonObject } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';

/** Texts that are secrets whatever they stand in. Each pattern is linear in the text. */
const KNOWN_FORMS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----/, 'a private key'],
  [/\bAKIA[0-9A-Z]{16}\b/, 'an AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{36,255}\b/, 'a GitHub token'],
  [/\bgithub_pat_[A-Za-z0-9_]{50,255}\b/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{20,64}\b/, 'a GitLab token'],
  [/\bxox[abprs]-[A-Za-z0-9-]{20,200}\b/, 'a Slack token'],
  [/\bsk_live_[A-Za-z0-9]{20,200}\b/, 'a Stripe key'],
  [/\bAIza[0-9A-Za-z_-]{35}\b/, 'a Google API key'],
  [/\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/, 'an age key'],
];

/** What kind of secret an object carries; undefined when none is recognised. Never the secret itself. */
export function secretIn(object: KubernetesObject, text: string): string | undefined {
  if (object.kind === 'Secret' && object.apiVersion === 'v1') {
    for (const field of ['data', 'stringData']) {
      const values = object[field];
      if (isJsonObject(values) && Object.keys(values).length > 0) return `values in ${field}`;
    }
  }
  return KNOWN_FORMS.find(([form]) => form.test(text))?.[1];
}
