import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import type { foreignRenderer } from '#adapters/tools/tools.ts';
import { configurationAt, findPlace, problemLine } from '#cli/found.ts';
import type { Configuration, Found } from '#cli/found.ts';
import type { ClusterInHand, OpenedWorld, Place, Powers, Running, Terminal } from '#cli/powers.ts';
import type { Settings, World } from '#loops/world.ts';
import { parseAllowedSigners } from '#model/allowed-signers.ts';
import { toCommitId } from '#model/digest.ts';
import type { Forge } from '#ports/forge.ts';
import type { Clock, Ids, Journal, Signer } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import type { Renderer } from '#ports/renderer.ts';
import type { Repository } from '#ports/repository.ts';
import type { Targets } from '#ports/target.ts';
import { lazyBundles, machineRoot, openBundles, openCosignKey, trustedRoot } from './bundles.ts';
import { openLayouts } from './layouts.ts';
import { capsuleArtifacts, lazyRegistry, openRegistry } from './registries.ts';
import { fetchOrWarn, LIMITS, openClone, openForge, openLocal, openMirror } from './repositories.ts';
import { lazySignatures } from './signatures.ts';
import { lazySigner, openKey, openSigner, signerAt, stateOf } from './signing.ts';

const STOP_WITHIN = 10_000;

type ToolPlaces = Parameters<typeof foreignRenderer>[0];

/** Builds adapters when they are asked for, and hands ports to loops and commands. */
export function assemble(): Powers {
  return {
    openWorld,
    openSigner,
    serve,
    forge,
    addForgeUser,
    initRepository,
    openKey,
    openClone,
    openCluster,
    openLayouts,
    openBundles,
    openCosignKey,
    openRegistry,
    trustedRoot,
  };
}

async function openCluster(kubeconfig: string): Promise<ClusterInHand> {
  return (await import('#adapters/kubernetes/kubernetes.ts')).openClusterByHand(kubeconfig);
}

interface Parts {
  readonly repository: Repository;
  readonly renderer: Renderer;
  readonly forge: Forge | undefined;
  readonly signer: Signer;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly targetsRoot: string;
  readonly tools: ToolPlaces;
  readonly ageKey: Configuration['ageKey'];
  readonly credentials: Configuration['credentials'];
  readonly settings: Settings;
  readonly machineRoot: World['machineRoot'];
  readonly registry: World['registry'];
  readonly configuration: Configuration | undefined;
  readonly kept: World['kept'];
}

async function worldOf(parts: Parts): Promise<World> {
  const [{ createWorld }, { foreignRenderer }] = await worldModules();
  const bundles = lazyBundles();
  const ports = {
    bundles,
    signatures: lazySignatures(bundles),
    foreignRenderer: foreignRenderer(parts.tools),
    capsuleArtifacts: capsuleArtifacts(parts),
  };
  return createWorld({ ...parts, ...ports, targets: await targetsOf(parts) });
}

async function worldModules() {
  return Promise.all([
    import('#loops/create-world.ts'),
    import('#adapters/tools/tools.ts'),
    import('#adapters/directory/directory.ts'),
    import('#adapters/kubernetes/kubernetes.ts'),
    import('#adapters/machine/machine.ts'),
  ]);
}

/** Each driver has its adapter; what is not a cluster is asked of the directories, which say what this version has. */
async function targetsOf({ targetsRoot, tools, ageKey, credentials, clock }: Parts): Promise<Targets> {
  const [, { sealedSecrets }, { directoryTargets }, { kubernetesTargets }, { systemTimers: timers, systemChance: chance }] =
    await worldModules();
  const secrets = sealedSecrets(tools, ageKey);
  const directories = directoryTargets({ root: targetsRoot, secrets });
  const clusters = kubernetesTargets({ credentials, secrets, clock, timers, chance });
  return {
    open: (environment, target, declaration) =>
      (declaration.driver === 'kubernetes' ? clusters : directories).open(environment, target, declaration),
    watch: (moved) => clusters.watch(moved),
    close: () => clusters.close(),
  };
}

async function openWorld(place: Place, terminal: Terminal): Promise<OpenedWorld> {
  const { renderWorkers } = await import('#adapters/render-workers/render-workers.ts');
  const renderer = renderWorkers({ hereFirst: {} });
  try {
    return await openWorldWith(renderer, place, terminal);
  } catch (error) {
    await renderer.close();
    throw error;
  }
}

async function openWorldWith(renderer: Renderer, place: Place, terminal: Terminal): Promise<OpenedWorld> {
  const found = await findPlace(place, terminal);
  const { configuration } = found;
  const { systemClock, randomIds, pinoJournal, keptFiles } = await import('#adapters/machine/machine.ts');
  const journal = pinoJournal({ level: terminal.isVerbose ? 'debug' : 'warn', destination: 2, secrets: configuration?.secrets ?? [] });
  const forge = configuration?.forge === undefined ? undefined : await openForge(configuration, journal);
  const opening =
    configuration !== undefined && found.isMirror
      ? openMirror(configuration, forge)
      : openLocal(found.root, configuration?.importsFrom ?? []);
  // While git answers, the rest is loaded.
  const [repository, { gitWorkingDirectory }] = await Promise.all([opening, import('#adapters/git/working-directory.ts'), worldModules()]);
  // A mirror that was just made knows nothing: a command that only looks would find an empty repository. The service fetches by itself.
  if (found.isMirror && (await repository.refs()).size === 0) await fetchOrWarn(repository, journal);
  const world = await worldOf({
    repository,
    renderer,
    forge,
    journal,
    clock: clockOf(place, systemClock),
    ids: randomIds(),
    signer: await lazySigner(found, terminal.env),
    targetsRoot: configuration?.directoryRoot ?? join(stateOf(found), 'targets'),
    tools: { configured: configuration?.tools ?? {}, path: terminal.env['PATH'] ?? '' },
    ageKey: configuration?.ageKey,
    credentials: await credentialsOf(found, place, terminal),
    settings: await settingsOf(found, place),
    machineRoot: machineRoot(found),
    configuration,
    registry: lazyRegistry({ configuration, env: terminal.env, isHttpAllowed: false }),
    kept: keptFiles(join(stateOf(found), 'kept')),
  });
  return {
    ...world,
    workingDirectory: found.isMirror ? undefined : await gitWorkingDirectory(found.root),
    webhook: webhookOf(configuration),
    artifactsOf: capsuleArtifacts({ configuration, registry: world.registry })?.repositoryOf,
    path: found.root,
    close: async () => {
      await world.targets.close?.();
      await renderer.close();
      await repository.close();
    },
  };
}

async function credentialsOf({ configuration }: Found, { kubeconfig }: Place, { cwd }: Terminal): Promise<Configuration['credentials']> {
  const configured = configuration?.credentials ?? new Map();
  if (kubeconfig === undefined) return configured;
  return (await import('#adapters/kubernetes/kubernetes.ts')).credentialsIn(resolve(cwd, kubeconfig), configured);
}

/** `--now` stands still: a report judges everything at one time. */
function clockOf({ now }: Place, clock: Clock): Clock {
  return now === undefined ? clock : { now: () => now };
}

function webhookOf(configuration: Configuration | undefined): OpenedWorld['webhook'] {
  if (configuration?.forge === undefined) return undefined;
  return { url: configuration.settings.webhookUrl, secret: configuration.forge.webhookSecrets?.current };
}

async function settingsOf(found: Found, place: Place): Promise<Settings> {
  const { configuration } = found;
  const root = place.trustRoot ?? configuration?.trust.root;
  const repository =
    configuration === undefined ? `local/${basename(found.root)}` : `${configuration.repository.owner}/${configuration.repository.name}`;
  return {
    branch: configuration?.repository.branch ?? 'main',
    source: `/gitops/${repository.replace('/', '-')}`,
    repository,
    version: await ownVersion(),
    trustRoot: root === undefined ? undefined : toCommitId(root),
    trustSigners: root === undefined ? await signersOf(configuration?.trust.allowedSigners) : undefined,
    driftInterval: configuration?.settings.drift ?? 300_000,
    importsFrom: configuration?.importsFrom,
  };
}

async function signersOf(file: string | undefined): Promise<Settings['trustSigners']> {
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new PortError('invalid', `trust.allowedSigners: ${file} cannot be read`, error);
  });
  const read = parseAllowedSigners(text, file);
  if (!read.ok) throw new PortError('invalid', `trust.allowedSigners: ${file}:${read.line}: ${read.reason}`);
  return read.value;
}

async function ownVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL(import.meta.resolve('#package.json')), 'utf8')) as { version: string };
  return version;
}

async function serve(path: string, terminal: Terminal): Promise<Running> {
  const configuration = await configurationAt(path, 'service', terminal);
  const found: Found = { configuration, root: dirname(path), isMirror: true };
  const [
    { systemClock, systemTimers, systemChance, randomIds, pinoJournal, giveBackMemory, keptFiles },
    { sqliteInbox },
    { webhookVerifier, githubEvents },
    { startService, serviceWork },
  ] = await Promise.all([
    import('#adapters/machine/machine.ts'),
    import('#adapters/sqlite/sqlite.ts'),
    import('#adapters/github/github.ts'),
    import('#service/service.ts'),
  ]);
  const secrets = configuration.forge?.webhookSecrets;
  if (secrets === undefined) throw new PortError('invalid', 'the service needs forge.webhookSecret');
  const journal = pinoJournal({
    level: terminal.isVerbose ? 'debug' : configuration.logLevel,
    destination: 2,
    secrets: configuration.secrets,
  });
  // What was opened is closed again when a later part cannot be had, a taken port for one: else the process never ends.
  await using opened = new AsyncDisposableStack();
  const forge = await openForge(configuration, journal);
  const repository = await openMirror(configuration, forge);
  opened.defer(() => repository.close());
  const { renderWorkers } = await import('#adapters/render-workers/render-workers.ts');
  const renderer = renderWorkers({});
  opened.defer(() => renderer.close());
  const inbox = await sqliteInbox(configuration.sqlite);
  opened.defer(() => inbox.close());
  const world = await worldOf({
    repository,
    renderer,
    forge,
    journal,
    clock: systemClock,
    ids: randomIds(),
    signer: await signerAt(found, terminal.env),
    targetsRoot: configuration.directoryRoot,
    tools: { configured: configuration.tools, path: terminal.env['PATH'] ?? '' },
    ageKey: configuration.ageKey,
    credentials: configuration.credentials,
    settings: await settingsOf(found, { repo: undefined, config: path }),
    machineRoot: machineRoot(found),
    configuration,
    registry: lazyRegistry({ configuration, env: terminal.env, isHttpAllowed: false }),
    kept: keptFiles(join(stateOf(found), 'kept')),
  });
  opened.defer(async () => world.targets.close?.());
  const service = await startService({
    settings: configuration.settings,
    work: serviceWork(world),
    inbox,
    verifier: webhookVerifier(secrets),
    reader: githubEvents(),
    forge,
    clock: systemClock,
    timers: systemTimers,
    chance: systemChance,
    ids: world.ids,
    journal,
    version: world.settings.version,
    rest: giveBackMemory,
    ...(world.targets.watch === undefined ? {} : { watch: (moved) => world.targets.watch?.(moved) }),
  });
  const kept = opened.move();
  return closable(service.url, async () => {
    await service.stop(STOP_WITHIN);
    await kept.disposeAsync();
  });
}

async function forge(options: { readonly data: string; readonly listen: string }, terminal: Terminal): Promise<Running> {
  const [{ startForge }, { httpBackend, smartHttpMissing }, { systemClock, fileSigner, pinoJournal }, { gitRepository }] =
    await Promise.all([
      import('#forge/forge.ts'),
      import('#adapters/git/http-backend.ts'),
      import('#adapters/machine/machine.ts'),
      import('#adapters/git/git.ts'),
    ]);
  const missing = smartHttpMissing();
  if (missing !== undefined) throw new PortError('unsupported', missing);
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(options.listen) ?? [];
  if (host === undefined || port === undefined) throw new PortError('invalid', `--listen ${options.listen} is not HOST:PORT`);
  await mkdir(options.data, { recursive: true });
  const running = await startForge({
    dataDirectory: options.data,
    listen: { host, port: Number(port) },
    repositories: (path) => gitRepository({ path, limits: LIMITS }),
    smartHttp: httpBackend(),
    clock: systemClock,
    journal: pinoJournal({ level: terminal.isVerbose ? 'debug' : 'warn', destination: 2 }),
    signer: await fileSigner(join(options.data, 'forge_ed25519'), { name: 'Local forge', email: 'forge@capstan.invalid' }),
  });
  return closable(running.url, () => running.close());
}

function closable(url: string, close: () => Promise<void>): Running {
  let closing: Promise<void> | undefined;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((done) => {
    end = done;
  });
  return {
    url,
    ended,
    close: () => {
      closing ??= close().finally(end);
      return closing;
    },
  };
}

async function addForgeUser(options: { readonly data: string; readonly name: string }): Promise<{ readonly token: string }> {
  const [{ addForgePerson }, { systemClock }] = await Promise.all([import('#forge/forge.ts'), import('#adapters/machine/machine.ts')]);
  const person = addForgePerson({ dataDirectory: options.data, clock: systemClock }, options.name);
  if (person === undefined) throw new PortError('invalid', `"${options.name}" is not a user name: letters, digits and single hyphens`);
  return person;
}

async function initRepository(path: string, terminal: Terminal): Promise<void> {
  const { initialise } = await import('#adapters/git/initialise.ts');
  const { planLock } = await import('#loops/lock.ts');
  await initialise(path, 'Declare the platform');
  const world = await openWorld({ repo: path, config: undefined }, terminal);
  try {
    const { overlay } = await import('#loops/overlay.ts');
    if (world.workingDirectory === undefined) throw new PortError('invalid', `${path} has no working directory`);
    const { tree, reader } = await world.workingDirectory.snapshot();
    const reading = overlay(world, reader);
    const declarations = await reading.reading.declarations({ tree, commit: undefined });
    const files: { path: string; content: string }[] = [];
    for (const environment of declarations.state.environments) {
      const planned = await planLock(reading, declarations, environment);
      if (!planned.ok) throw new PortError('invalid', planned.problems.map(problemLine).join('\n'));
      files.push({ path: planned.value.path, content: planned.value.after });
    }
    await world.workingDirectory.write(files);
  } finally {
    await world.close();
  }
  await initialise(path, 'Lock versions');
}
