import { resolve } from 'node:path';

import { isJsonObject, valueAt } from '#model/json.ts';
import type { SigningKey } from '#model/signing-key.ts';
import { parseSshPublicKey, sshPublicKeyText } from '#model/ssh-key.ts';
import { configurationProblem, textAt, type Draft } from './configuration-draft.ts';
import type { ConfigurationSource } from './configuration.ts';
import type { Secrets } from './secret-source.ts';

const KEY = '/identity/signingKey';
const PIN = `${KEY}/pkcs11/pin`;

/** Where the engine's key lies, by `identity.signingKey`. */
export function signingKeyOf(draft: Draft, secrets: Secrets, { env, purpose }: Omit<ConfigurationSource, 'path'>): SigningKey {
  const declared = valueAt(draft.value, KEY);
  if (isJsonObject(declared) && declared['agent'] !== undefined) {
    const named = textAt(draft.value, `${KEY}/agent/socket`);
    const usual = env['SSH_AUTH_SOCK'] === '' ? undefined : env['SSH_AUTH_SOCK'];
    const socket = named === undefined ? usual : resolve(draft.directory, named);
    if (socket === undefined && purpose === 'service') {
      const message = 'the signing key is held by an SSH agent, but no socket is named and SSH_AUTH_SOCK is not set';
      const remedy = 'Write identity.signingKey.agent.socket, or set SSH_AUTH_SOCK for this process.';
      draft.problems.push(configurationProblem('signing-key-unreachable', draft.at(`${KEY}/agent`), message, remedy));
    }
    return { kind: 'agent', publicKey: publicKeyAt(draft, `${KEY}/agent/publicKey`), socket };
  }
  if (isJsonObject(declared) && declared['pkcs11'] !== undefined) {
    const missing = secrets.missing.get(PIN);
    if (missing !== undefined && purpose === 'service') draft.problems.push(missing);
    return {
      kind: 'pkcs11',
      publicKey: publicKeyAt(draft, `${KEY}/pkcs11/publicKey`),
      module: resolve(draft.directory, textAt(draft.value, `${KEY}/pkcs11/module`) ?? ''),
      pin: secrets.found.get(PIN),
    };
  }
  return { kind: 'file', path: resolve(draft.directory, textAt(draft.value, `${KEY}/file`) ?? '.capstan/engine_ed25519') };
}

function publicKeyAt(draft: Draft, pointer: string): string {
  const text = textAt(draft.value, pointer) ?? '';
  const key = parseSshPublicKey(text);
  if (key.ok) return sshPublicKeyText(key.value);
  const message = `${pointer} cannot be used: ${key.reason}`;
  const remedy = 'Write the type and the base64 text of the .pub file (ssh-add -L and ssh-keygen -D MODULE print them).';
  draft.problems.push(configurationProblem('unusable-signing-key', draft.at(pointer), message, remedy));
  return text;
}
