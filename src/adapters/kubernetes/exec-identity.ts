import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

import type { JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { maskOf, type Mask } from '#model/secret-mask.ts';
import { toSecret, type Secret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import { checkedToken } from './bearer.ts';
import type { Identity } from './identity.ts';
import type { ChosenContext } from './kubeconfig.ts';
import { besideFile } from './kubeconfig.ts';

const PROGRAM_MS = 60_000;
const VERSIONS: ReadonlySet<string> = new Set(['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']);

interface Login {
  readonly token: Secret | undefined;
  readonly cert: string | undefined;
  readonly key: Secret | undefined;
}

/** Credentials made by the program of an `exec` entry. Only for files whose author may run programs as the engine. */
export function loginProgram(chosen: ChosenContext, now: () => number): Identity {
  const named = `user ${quoted(chosen.user.name)} of ${chosen.file}`;
  const exec = programOf(chosen);
  const mask = maskOf(givenTo(exec));
  let running: Promise<(name: string) => Promise<Login>> | undefined;
  async function login(): Promise<Login> {
    running ??= openProgram(exec);
    try {
      return await (
        await running
      )(chosen.user.name);
    } catch (error) {
      throw new PortError(
        'denied',
        `the login program ${quoted(jsonText(exec['command']))} of ${named} failed: ${wordsOf(error, mask)}`,
        undefined,
      );
    }
  }
  let last: { readonly login: Promise<Login>; readonly at: number } | undefined;
  function current(): Promise<Login> {
    if (last === undefined || now() - last.at > LOOK_AGAIN_MS) {
      const asked = { login: login(), at: now() };
      last = asked;
      asked.login.catch(() => {
        if (last === asked) last = undefined;
      });
    }
    return last.login;
  }
  return {
    token: async () => (await current()).token,
    async certificate() {
      const { cert, key } = await current();
      return cert === undefined ? undefined : { cert, key };
    },
    async renew() {
      running = undefined;
      last = undefined;
      await current();
    },
    isSecret: true,
  };
}

/** The library keeps what the program said until it expires; it is asked this often whether it has. */
const LOOK_AGAIN_MS = 5_000;

function programOf({ file, user, cluster, refuse }: ChosenContext): JsonObject {
  const pointer = `${user.pointer}/exec`;
  const exec = user.value['exec'];
  const refused = (field: string, message: string): PortError =>
    refuse(
      `${pointer}/${field}`,
      `exec of user ${quoted(user.name)} ${message}`,
      'Write it as the documentation of the login program says.',
    );
  if (!isJsonObject(exec)) throw refused('', 'is no mapping');
  const { apiVersion, command, args, env, interactiveMode } = exec;
  if (typeof apiVersion !== 'string' || !VERSIONS.has(apiVersion))
    throw refused('apiVersion', `needs apiVersion, one of ${[...VERSIONS].join(', ')}`);
  if (typeof command !== 'string' || command === '') throw refused('command', 'names no command');
  if (interactiveMode === 'Always') throw refused('interactiveMode', 'asks for a terminal, and nobody sits there');
  const variables = Array.isArray(env) ? env : [];
  const spec = {
    interactive: false,
    ...(exec['provideClusterInfo'] === true ? { cluster: { server: cluster.value['server'] ?? '' } } : {}),
  };
  const info = { name: INFO, value: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }) };
  // As kubectl does: with a separator it lies beside the kubeconfig, without one it is looked for on PATH.
  return { command: command.includes('/') ? besideFile(file, command) : command, args: args ?? [], env: [...variables, info] };
}

async function openProgram(exec: JsonObject): Promise<(name: string) => Promise<Login>> {
  // These two files of the library, not its door: that loads every kind of Kubernetes (docs/decisions/0200).
  const [{ ExecAuth }, { newUsers }] = await Promise.all([
    import('@kubernetes/client-node/dist/exec_auth.js'),
    import('@kubernetes/client-node/dist/config_types.js'),
  ]);
  const library = new ExecAuth();
  const bounded = (command: string, args: readonly string[], options: object): ChildProcess =>
    spawn(command, args, { ...options, timeout: PROGRAM_MS, killSignal: 'SIGKILL' });
  Object.assign(library, { execFn: bounded });
  return async (name) => {
    const [user] = newUsers([{ name, user: { exec } }]);
    const said: { headers?: Record<string, string>; cert?: string; key?: string } = {};
    if (user !== undefined) await library.applyAuthentication(user, said);
    const authorization = said.headers?.['Authorization'];
    const token =
      authorization === undefined ? undefined : checkedToken(authorization.replace(/^Bearer /, ''), 'the token that it printed');
    if (token === undefined && said.cert === undefined) throw new Error('it printed neither a token nor a certificate');
    return { token, cert: said.cert, key: said.key === undefined ? undefined : toSecret(said.key) };
  };
}

/** Values of variables that its entry in the kubeconfig hands it: a login program may well repeat them when it is refused. */
function givenTo(exec: JsonObject): readonly Secret[] {
  const { env, args } = exec;
  const values = Array.isArray(env) ? env.map((one) => (isJsonObject(one) && one['name'] !== INFO ? one['value'] : undefined)) : [];
  const words = Array.isArray(args) ? args.filter((word) => typeof word === 'string' && SECRET_OPTION.test(word)) : [];
  return [...values, ...words.map((word) => String(word).replace(SECRET_OPTION, ''))]
    .filter((text) => typeof text === 'string')
    .map(toSecret);
}

const INFO = 'KUBERNETES_EXEC_INFO';
/** `--client-secret=...` */
const SECRET_OPTION = /^--?[\w-]*(?:secret|token|password|key)[\w-]*=/i;

function wordsOf(error: unknown, mask: Mask): string {
  // The message of a SyntaxError quotes what was printed, and that may be the token.
  if (error instanceof SyntaxError || error instanceof TypeError) return 'it did not print an ExecCredential';
  return error instanceof Error ? visibleText(mask(error.message).trim(), 300) || 'it ended without a word' : 'it ended without a word';
}
