import { isJsonObject } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { isSealed } from '#model/sealed.ts';
import { knownSecretIn } from '#model/secret-scan.ts';

/** What is rendered explains no keys: the header alone is one too many. */
const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----/;

/** What kind of secret an object carries; undefined when none is recognised. Never the secret itself. */
export function secretIn(object: KubernetesObject, text: string): string | undefined {
  if (object.kind === 'Secret' && object.apiVersion === 'v1') {
    for (const field of ['data', 'stringData']) {
      const values = object[field];
      if (isJsonObject(values) && !isSealed(values)) return `values in ${field}`;
    }
  }
  return PRIVATE_KEY.test(text) ? 'a private key' : knownSecretIn(text);
}
