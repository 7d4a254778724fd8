import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { isJsonObject, jsonText } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import { parseBoundedJson } from '#model/oci-manifest.ts';
import { toSecret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { passwordLogin } from './login.ts';
import type { Environment, Login, Logins } from './login.ts';

const LARGEST = 1024 * 1024;
const DOCKER_KEYS = ['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * Logins as docker keeps them: `auths`, `credHelpers` and `credsStore` of `config.json` in the given folder, else in `DOCKER_CONFIG`,
 * else in `~/.docker`. No file is no login; a file that cannot be read refuses, since going on without it would hide what is there.
 */
export function dockerLogins(folder: string | undefined, env: Environment): Logins {
  const home = env['HOME'];
  const place = folder ?? nonEmpty(env['DOCKER_CONFIG']) ?? (home === undefined ? undefined : join(home, '.docker'));
  return async (host) => {
    const config = place === undefined ? undefined : await readConfig(join(place, 'config.json'));
    if (config === undefined) return undefined;
    const keys = keysOf(host);
    const helpers = isJsonObject(config['credHelpers']) ? config['credHelpers'] : {};
    for (const key of keys) {
      const helper = own(helpers, key);
      if (typeof helper === 'string') return askCredentialHelper(helper, key, env);
    }
    const auths = isJsonObject(config['auths']) ? config['auths'] : {};
    for (const key of keys) {
      const entry = own(auths, key);
      const login = isJsonObject(entry) ? loginOf(entry, key) : undefined;
      if (login !== undefined) return login;
    }
    const store = jsonText(config['credsStore']);
    return store === '' ? undefined : askCredentialHelper(store, keys[0] ?? host, env);
  };
}

/** The names under which docker files a registry. */
function keysOf(host: string): readonly string[] {
  if (host === 'docker.io') return DOCKER_KEYS;
  return [host, `https://${host}`, `https://${host}/`, `https://${host}/v1/`, `https://${host}/v2/`, `http://${host}`];
}

async function readConfig(path: string): Promise<JsonObject | undefined> {
  const bytes = await readAtMost(path);
  if (bytes === undefined) return undefined;
  const config = parseBoundedJson(bytes, 16);
  if (!isJsonObject(config)) throw new PortError('invalid', `${path} is no docker configuration: it is not a JSON object`);
  return config;
}

async function readAtMost(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > LARGEST) throw new PortError('invalid', `${path} is larger than ${LARGEST} bytes`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof PortError) throw error;
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw new PortError('invalid', `${path} cannot be read`, error);
  }
}

function loginOf(entry: JsonObject, key: string): Login | undefined {
  const identity = jsonText(entry['identitytoken']);
  if (identity !== '') return { kind: 'identity-token', token: toSecret(identity) };
  const plain = jsonText(entry['username']);
  if (plain !== '') return passwordLogin(plain, jsonText(entry['password']));
  const auth = jsonText(entry['auth']);
  if (auth === '') return undefined;
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon < 1) throw new PortError('invalid', `the docker configuration has a malformed auth for ${key}`);
  return passwordLogin(decoded.slice(0, colon), decoded.slice(colon + 1));
}

function own(object: JsonObject, key: string): JsonObject[string] | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
