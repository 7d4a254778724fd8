import { dirname, resolve } from 'node:path';

import type { ClusterAccess } from '#model/cluster-access.ts';
import { parseDuration } from '#model/instant.ts';
import { checkBySchema } from '#model/json-schema.ts';
import { isJsonObject, valueAt, type Json, type JsonObject } from '#model/json.ts';
import { placeInFile, type Place, type Problem } from '#model/problem.ts';
import { accepted, refused, type Result } from '#model/result.ts';
import type { Secret } from '#model/secret.ts';
import type { SigningKey } from '#model/signing-key.ts';
import type { TrustedRootSource } from '#model/trusted-root.ts';
import { DECLARATION_LIMITS, parseYamlText } from '#model/yaml-text.ts';
import schema from '#schemas/configuration.schema.json' with { type: 'json' };
import { readBeginning } from './bounded-file.ts';
import { configurationProblem, textAt, type Draft } from './configuration-draft.ts';
import { credentialsOf } from './credentials.ts';
import { overlaid } from './environment-overlay.ts';
import { forgeOf, repositoryOf, type ForgeConfiguration, type RepositoryConfiguration } from './forge-configuration.ts';
import { registriesOf, type RegistriesConfiguration } from './registries.ts';
import { readSecrets } from './secret-source.ts';
import { USUAL_SETTINGS, type ServiceSettings } from './settings.ts';
import { signingKeyOf } from './signing-key.ts';

const TOOLS = ['helm', 'kustomize', 'sops'] as const;

interface ProgramFile {
  readonly path: string;
  readonly sha256: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A Configuration (contracts.md section 3) with its secrets read and its paths absolute. */
export interface Configuration {
  readonly repository: RepositoryConfiguration;
  /** Undefined when a command runs where the forge's login is not set up; never when the service runs. */
  readonly forge: ForgeConfiguration | undefined;
  readonly settings: ServiceSettings;
  /** Beginnings of addresses, and paths of this machine, that capsules may be imported from. */
  readonly importsFrom: readonly string[];
  readonly registries: RegistriesConfiguration;
  readonly publicUrl: string | undefined;
  readonly sqlite: string;
  readonly identity: { readonly signingKey: SigningKey; readonly name: string | undefined; readonly email: string | undefined };
  readonly directoryRoot: string;
  readonly trust: {
    readonly root: string | undefined;
    readonly allowedSigners: string | undefined;
    /** Undefined: only the project's own root is known. */
    readonly sigstore: TrustedRootSource | undefined;
  };
  /** By the names that environments use. */
  readonly credentials: ReadonlyMap<string, ClusterAccess>;
  /** Tool -> exact version -> absolute path and sha256 of the program. */
  readonly tools: Readonly<Partial<Record<(typeof TOOLS)[number], Readonly<Record<string, ProgramFile>>>>>;
  /** Undefined where there is none, or where a command runs that cannot read it. */
  readonly ageKey: Secret | undefined;
  readonly logLevel: LogLevel;
  /** Everything secret in it, for the journal to mask. */
  readonly secrets: readonly Secret[];
}

export interface ConfigurationSource {
  /** Absolute path of `capstan.yaml`. */
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The service needs every secret; a command takes what there is. */
  readonly purpose: 'service' | 'command';
}

/** Reads `capstan.yaml` and the CAPSTAN_ variables. Answers every mistake at its place; a secret's value is never in one. */
export async function readConfiguration(source: ConfigurationSource): Promise<Result<Configuration>> {
  const draft = await readDraft(source);
  if (!draft.ok) return draft;
  const { value, directory, problems } = draft.value;
  const secrets = await readSecrets(draft.value, source.env);
  const repository = repositoryOf(draft.value);
  const forge = forgeOf(draft.value, { secrets, repository, purpose: source.purpose });
  const settings = settingsOf(draft.value, source.purpose);
  const credentials = await credentialsOf(draft.value, source.purpose);
  const signingKey = signingKeyOf(draft.value, secrets, source);
  if (valueAt(value, '/store/postgres') !== undefined) problems.push(notSupported(draft.value, '/store/postgres', 'PostgreSQL'));
  if (valueAt(value, '/access') !== undefined) problems.push(notSupported(draft.value, '/access', 'the API and its access rules'));
  const noAgeKey = secrets.missing.get('/sops/ageKey');
  if (noAgeKey !== undefined && source.purpose === 'service') problems.push(noAgeKey);
  if (problems.length > 0 || repository === undefined) return refused(problems);
  const path = (pointer: string, usual: string): string => resolve(directory, textAt(value, pointer) ?? usual);
  const allowedSigners = textAt(value, '/trust/allowedSigners');
  return accepted({
    repository,
    forge,
    settings,
    importsFrom: textsAt(value, '/imports/from'),
    registries: registriesOf(draft.value),
    publicUrl: textAt(value, '/server/publicUrl')?.replace(/\/+$/, ''),
    sqlite: path('/store/sqlite', '.capstan/state.db'),
    identity: {
      signingKey,
      name: textAt(value, '/identity/name'),
      email: textAt(value, '/identity/email'),
    },
    directoryRoot: path('/targets/directory/root', '.capstan/targets'),
    trust: {
      root: textAt(value, '/trust/root'),
      allowedSigners: allowedSigners === undefined ? undefined : resolve(directory, allowedSigners),
      sigstore: trustedRootOf(draft.value),
    },
    credentials,
    tools: toolsOf(draft.value),
    ageKey: secrets.found.get('/sops/ageKey'),
    logLevel: levelOf(value),
    secrets: [...secrets.found.values()],
  });
}

function trustedRootOf({ value, directory }: Draft): TrustedRootSource | undefined {
  const file = textAt(value, '/trust/sigstore/trustedRoot/file');
  if (file !== undefined) return { kind: 'file', path: resolve(directory, file) };
  const mirror = textAt(value, '/trust/sigstore/tuf/mirror');
  const root = textAt(value, '/trust/sigstore/tuf/root');
  return mirror === undefined || root === undefined ? undefined : { kind: 'tuf', mirror, rootFile: resolve(directory, root) };
}

function textsAt(value: Json, pointer: string): readonly string[] {
  const found = valueAt(value, pointer);
  return Array.isArray(found) ? found.filter((item) => typeof item === 'string') : [];
}

async function readDraft(source: ConfigurationSource): Promise<Result<Draft>> {
  const file = source.path;
  let bytes: Uint8Array;
  try {
    bytes = await readBeginning(file, DECLARATION_LIMITS.bytes);
  } catch {
    const message = `the configuration ${file} cannot be read`;
    const remedy = 'Write it, or name another file with --config.';
    return refused([configurationProblem('configuration-unreadable', placeInFile(file), message, remedy)]);
  }
  const text = parseYamlText(bytes, file);
  if (!text.ok) return text;
  const value = overlaid(text.value.value, source.env);
  const { value: yaml } = text;
  const findings = checkBySchema(schema, value);
  const bare = new Set(findings.map((finding) => SECRET_PLACE.exec(finding.pointer)?.[0]).filter((pointer) => pointer !== undefined));
  const problems = [
    ...[...bare].map((pointer) => secretInFile(pointer, yaml.at(pointer))),
    ...findings
      .filter((finding) => !SECRET_PLACE.test(finding.pointer))
      .map(({ code, onKey, pointer, message, remedy }) =>
        configurationProblem(code, onKey ? yaml.keyAt(pointer) : yaml.at(pointer), message, remedy),
      ),
  ];
  if (problems.length > 0) return refused(problems);
  return accepted({ value, at: (pointer) => yaml.at(pointer), directory: dirname(file), problems: [] });
}

/** Where a wrong value may be the secret itself, so that it is not repeated. */
const SECRET_PLACE =
  /^\/(forge\/(token|webhookSecret|previousWebhookSecret|app\/privateKey)|store\/postgres|access\/[0-9]+\/token|sops\/ageKey|identity\/signingKey\/pkcs11\/pin)(?=\/|$)/;

function secretInFile(pointer: string, place: Place): Problem {
  const message = `${pointer} must be { env: NAME } or { file: PATH }; a secret does not stand in the configuration`;
  return configurationProblem(
    'secret-not-referenced',
    place,
    message,
    'Move the secret to a variable or a file, and change it if this file was shared.',
  );
}

function settingsOf(draft: Draft, purpose: ConfigurationSource['purpose']): ServiceSettings {
  const { value } = draft;
  const listen = textAt(value, '/server/listen');
  const publicUrl = textAt(value, '/server/publicUrl')?.replace(/\/+$/, '');
  if (purpose === 'service' && publicUrl !== undefined && !/^https?:\/\/[^/]/.test(publicUrl)) {
    const message = `publicUrl ${JSON.stringify(publicUrl)} is not an http or https address`;
    draft.problems.push(
      configurationProblem(
        'bad-format',
        draft.at('/server/publicUrl'),
        message,
        'Write the address at which the forge reaches this service.',
      ),
    );
  }
  return {
    ...USUAL_SETTINGS,
    ...(listen === undefined ? {} : { listen: addressOf(draft, listen) }),
    webhookUrl: publicUrl === undefined ? undefined : `${publicUrl}/webhooks/github`,
    poll: durationOf(draft, '/schedule/poll', USUAL_SETTINGS.poll),
    drift: durationOf(draft, '/schedule/drift', USUAL_SETTINGS.drift),
    jitter: Number.parseFloat(textAt(value, '/schedule/jitter') ?? '10%') / 100,
  };
}

function durationOf(draft: Draft, pointer: string, usual: number): number {
  const text = textAt(draft.value, pointer);
  if (text === undefined) return usual;
  const milliseconds = parseDuration(text) ?? 0;
  if (milliseconds >= 100) return milliseconds;
  const message = `${pointer} is ${text}, which is shorter than 100ms`;
  draft.problems.push(configurationProblem('out-of-range', draft.at(pointer), message, 'Write a longer duration, such as 60s.'));
  return usual;
}

function addressOf(draft: Draft, listen: string): ServiceSettings['listen'] {
  const colon = listen.lastIndexOf(':');
  const port = Number(listen.slice(colon + 1));
  if (port > 65_535) {
    const message = `port ${port} of ${listen} does not exist`;
    draft.problems.push(configurationProblem('out-of-range', draft.at('/server/listen'), message, 'Write a port from 0 to 65535.'));
  }
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port };
}

function toolsOf(draft: Draft): Configuration['tools'] {
  return Object.fromEntries(
    TOOLS.flatMap((tool) => {
      const versions = valueAt(draft.value, `/tools/${tool}`);
      return isJsonObject(versions) ? [[tool, programsOf(draft.directory, versions)]] : [];
    }),
  );
}

function programsOf(directory: string, versions: JsonObject): Readonly<Record<string, ProgramFile>> {
  return Object.fromEntries(
    Object.entries(versions).map(([version, file]: [string, Json]) => [
      version,
      { path: resolve(directory, textAt(file, '/path') ?? ''), sha256: textAt(file, '/sha256') ?? '' },
    ]),
  );
}

function levelOf(value: Json): LogLevel {
  const level = textAt(value, '/log/level');
  return level === 'debug' || level === 'warn' || level === 'error' ? level : 'info';
}

function notSupported(draft: Draft, pointer: string, what: string): Problem {
  return configurationProblem(
    'not-supported',
    draft.at(pointer),
    `${pointer} is declared, and this version does not have ${what} yet`,
    `Remove ${pointer}.`,
  );
}
