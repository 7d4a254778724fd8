import { sha256Of } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { listed, visibleText } from '#model/quoted.ts';
import type { SecretSource } from '#model/rendering.ts';
import type { SealedDocument } from '#model/sealed.ts';
import { SEALED_LIMIT, SEALED_VALUE } from '#model/sealed.ts';
import { metadataOfInstance } from './part.ts';
import type { Scope } from './scope.ts';
import { reportWish } from './scope.ts';

/** Where an environment keeps encrypted files, relative to its own folder. */
const PLACE = /^secrets\/[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.(yaml|yml|json)$/;
const ENCRYPTED = /^ENC\[AES256_GCM,data:/;
/** Other ways to wrap the data key ask services of the net. */
const OTHER_KEYS = ['kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'pgp', 'hckms', 'key_groups'];

/**
 * The rest of what sops writes about a file, letter for letter. It reads JSON without regard to case, so `HC_Vault` would be `hc_vault`, and a
 * second `SOPS` would stand for all that was looked at here.
 */
const METADATA: ReadonlySet<string> = new Set([
  ...OTHER_KEYS,
  ...(
    'age mac lastmodified version shamir_threshold mac_only_encrypted unencrypted_suffix encrypted_suffix unencrypted_regex ' +
    'encrypted_regex unencrypted_comment_regex encrypted_comment_regex'
  ).split(' '),
]);

export interface SealedObject {
  readonly value: JsonObject;
  readonly sealed: SealedDocument;
}

export interface SealedWish {
  readonly secret: string;
  readonly source: SecretSource;
  readonly name: string;
  /** Keys of the Secret. */
  readonly keys: readonly string[];
}

/**
 * The Secret of an encrypted file: placeholders and the digest of the file. The file is looked at only as far as it is not encrypted:
 * names of keys, and by what its data key is wrapped.
 */
export function sealedSecret(scope: Scope, wish: SealedWish): SealedObject | undefined {
  const { source, keys } = wish;
  const path = source.path ?? '';
  if (!PLACE.test(path)) {
    return refuse(
      scope,
      wish,
      `has path ${visibleText(JSON.stringify(path), 120)}, which is no file of the environment's folder secrets`,
      'Put the encrypted file into environments/<env>/secrets and write path: secrets/<file>.yaml.',
    );
  }
  const text = scope.unit.wishes.sealed?.[path]?.text;
  if (text === undefined) {
    return refuse(
      scope,
      wish,
      `names ${visibleText(path)}, which is not there or longer than ${SEALED_LIMIT} bytes`,
      `Add the file: sops encrypt --age <recipient> ${path}.`,
    );
  }
  const read = readKubernetesYaml(text, path);
  const document = read.ok && read.value.length === 1 ? read.value[0]?.value : undefined;
  const metadata = isJsonObject(document) ? document['sops'] : undefined;
  if (!isJsonObject(document) || !isJsonObject(metadata)) {
    return refuse(
      scope,
      wish,
      `names ${visibleText(path)}, which is not encrypted by sops`,
      'Encrypt it, and change the secret if the file was pushed: git keeps it.',
    );
  }
  const odd = [
    ...Object.keys(metadata).filter((key) => !METADATA.has(key)),
    ...Object.keys(document).filter((key) => key !== 'sops' && key.normalize('NFKC').toLowerCase() === 'sops'),
  ];
  if (odd.length > 0) {
    return refuse(
      scope,
      wish,
      `names ${visibleText(path)}, in which ${listed(odd)} is nothing that sops writes`,
      'Encrypt the file again: nobody edits what sops says about it.',
    );
  }
  const other = OTHER_KEYS.find((name) => !isEmpty(metadata[name]));
  if (other !== undefined || isEmpty(metadata['age']) || typeof metadata['mac'] !== 'string') {
    return refuse(
      scope,
      wish,
      `names ${visibleText(path)}, whose data key is ${other === undefined ? 'not wrapped by age' : `wrapped by ${other}`}`,
      'Encrypt it for age recipients only: opening it asks no service.',
    );
  }
  const documentKeys = Object.fromEntries(keys.map((key) => [key, source.key ?? key]));
  const lacking = Object.values(documentKeys).filter((key) => key === 'sops' || !Object.hasOwn(document, key));
  if (lacking.length > 0) {
    const known = Object.keys(document).filter((key) => key !== 'sops');
    return refuse(
      scope,
      wish,
      `needs ${listed(lacking)} of ${visibleText(path)}, which has ${listed(known)}`,
      'Add the key with `sops edit`, or correct `key`.',
    );
  }
  const plain = Object.values(documentKeys).filter((key) => !isEncrypted(document[key]));
  if (plain.length > 0) {
    return refuse(
      scope,
      wish,
      `has ${listed(plain)} of ${visibleText(path)} in the clear`,
      'Encrypt that key, and change the secret if the file was pushed: git keeps it.',
    );
  }
  return {
    value: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadataOfInstance(scope, wish.name), annotations: { 'capstan.dev/sealed': `sops sha256:${sha256Of(text)}` } },
      stringData: Object.fromEntries([...keys].sort().map((key) => [key, SEALED_VALUE])),
      type: 'Opaque',
    },
    sealed: { format: 'sops', type: path.endsWith('.json') ? 'json' : 'yaml', text, keys: documentKeys },
  };
}

function isEncrypted(value: Json | undefined): boolean {
  return typeof value === 'string' && ENCRYPTED.test(value);
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

function refuse(scope: Scope, { secret }: SealedWish, what: string, remedy: string): undefined {
  const { pin, target } = scope.unit;
  reportWish(scope, `/spec/secrets${pointerToken(pin.instance)}${pointerToken(secret)}`, {
    code: 'secret-not-sealed',
    rule: undefined,
    message: `the source of secret ${pin.instance}/${secret} in ${target.environment} ${what}`,
    remedy,
  });
  return undefined;
}
