import { isJsonObject, pointerKeys, type Json, type JsonObject } from '#model/json.ts';

/** Variables that stand above the file. Those of secrets hold the name under which they are looked up, never the text itself. */
const VARIABLES: Readonly<Record<string, string>> = {
  CAPSTAN_REPOSITORY_URL: '/repository/url',
  CAPSTAN_REPOSITORY_BRANCH: '/repository/branch',
  CAPSTAN_FORGE_BASE_URL: '/forge/baseUrl',
  CAPSTAN_SERVER_LISTEN: '/server/listen',
  CAPSTAN_SERVER_PUBLIC_URL: '/server/publicUrl',
  CAPSTAN_STORE_SQLITE: '/store/sqlite',
  CAPSTAN_SCHEDULE_POLL: '/schedule/poll',
  CAPSTAN_SCHEDULE_DRIFT: '/schedule/drift',
  CAPSTAN_SCHEDULE_JITTER: '/schedule/jitter',
  CAPSTAN_TARGETS_DIRECTORY_ROOT: '/targets/directory/root',
  CAPSTAN_LOG_LEVEL: '/log/level',
};
/** Set without being named in the file, these count as if it named them. */
const SECRET_VARIABLES: Readonly<Record<string, string>> = {
  CAPSTAN_FORGE_TOKEN: '/forge/token',
  CAPSTAN_WEBHOOK_SECRET: '/forge/webhookSecret',
  CAPSTAN_PREVIOUS_WEBHOOK_SECRET: '/forge/previousWebhookSecret',
};
/** `CAPSTAN_CREDENTIALS_EU_1_CONTEXT` is `/credentials/eu-1/context`. */
const CREDENTIAL_VARIABLE = /^CAPSTAN_CREDENTIALS_([A-Z0-9]+(?:_+[A-Z0-9]+)*)_(KUBECONFIG_FILE|CONTEXT)$/;

export function overlaid(value: Json, env: Readonly<Record<string, string | undefined>>): Json {
  if (!isJsonObject(value)) return value;
  let result: JsonObject = value;
  for (const [name, pointer] of Object.entries(VARIABLES)) {
    const text = env[name];
    if (text !== undefined && text !== '') result = withValue(result, pointerKeys(pointer), text);
  }
  for (const [name, text] of Object.entries(env)) {
    const [, entry, field] = CREDENTIAL_VARIABLE.exec(name) ?? [];
    if (entry === undefined || text === undefined || text === '') continue;
    const keys = ['credentials', entry.toLowerCase().replaceAll('_', '-'), ...(field === 'CONTEXT' ? ['context'] : ['kubeconfig', 'file'])];
    result = withValue(result, keys, text);
  }
  for (const [name, pointer] of Object.entries(SECRET_VARIABLES)) {
    if ((env[name] ?? '') !== '' && isFree(result, pointer)) result = withValue(result, pointerKeys(pointer), { env: name });
  }
  return result;
}

/** A secret that the file names wins; a token is not added beside an App. */
function isFree(value: JsonObject, pointer: string): boolean {
  const { forge } = value;
  if (forge === undefined) return true;
  if (!isJsonObject(forge)) return false;
  const key = pointerKeys(pointer)[1] ?? '';
  return !Object.hasOwn(forge, key) && !(key === 'token' && Object.hasOwn(forge, 'app'));
}

function withValue(value: JsonObject, keys: readonly string[], leaf: Json): JsonObject {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const below = Object.hasOwn(value, key) ? value[key] : key === 'forge' ? { type: 'github' } : {};
  return { ...value, [key]: rest.length === 0 ? leaf : withValue(isJsonObject(below) ? below : {}, rest, leaf) };
}
