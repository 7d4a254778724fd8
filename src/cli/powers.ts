import type { Webhook } from '#loops/doctor.ts';
import type { World } from '#loops/world.ts';
import type { Instant } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { Secret } from '#model/secret.ts';
import type { Bundles } from '#ports/bundles.ts';
import type { Signer } from '#ports/machine.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';
import type { Repository } from '#ports/repository.ts';
import type { WorkingDirectory } from '#ports/working-directory.ts';

/** What a command sees of the outside: data goes to `out`, problems to `err`, talk to `say`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard error, too; silent with `--quiet`. */
  readonly say: (text: string) => void;
  readonly isVerbose: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The caller's directory (`INIT_CWD` under npm). */
  readonly cwd: string;
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
  /** From now on these do not come out, whoever prints them. */
  readonly conceal?: (secrets: readonly Secret[]) => void;
}

/** Where a command works: `--repo`, `--config`. */
export interface Place {
  readonly repo: string | undefined;
  readonly config: string | undefined;
  /** Clusters are reached by the contexts of this kubeconfig, whatever the configuration says. */
  readonly kubeconfig?: string | undefined;
  /** Start of trust, instead of the configured one. */
  readonly trustRoot?: string | undefined;
  /** The command is about a person's declarations: the repository around the caller, even where a configuration stands above it. */
  readonly readsCheckout?: boolean | undefined;
  /** The time that the command judges by, instead of the clock. */
  readonly now?: Instant | undefined;
}

export interface OpenedWorld extends World {
  /** A person's checkout around the caller; undefined for a bare repository or a mirror. */
  readonly workingDirectory: WorkingDirectory | undefined;
  /** Where the configured forge should send webhooks; undefined without a forge. */
  readonly webhook: Webhook | undefined;
  /** Where a capsule lies as an artifact by the configuration; undefined where it says nothing. */
  readonly artifactsOf: ((capsule: string) => ImageRepository) | undefined;
  /** Absolute path of the repository, for messages. */
  readonly path: string;
  close(): Promise<void>;
}

export interface Running {
  readonly url: string;
  /** Resolves when it has ended by itself or by `close`. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** A cluster that a person's kubeconfig opens, for what people do by hand. */
export interface ClusterInHand {
  readonly url: URL;
  /** `path` begins with `/api`; a body for PATCH is a merge patch. */
  ask(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: Json,
  ): Promise<{ readonly status: number; readonly body: JsonObject }>;
  close(): Promise<void>;
}

export interface Layout {
  readonly registry: Registry;
  readonly tags: () => Promise<readonly string[]>;
}

/** Artifacts on this machine. */
export interface Layouts {
  /** An OCI image layout in a folder, which need not be there yet. */
  folder(path: string): Promise<Layout>;
  /** The same in one archive: that of `bytes`, or a new one. */
  archive(bytes: Uint8Array | undefined): Promise<Layout & { readonly bytes: () => Uint8Array }>;
}

/** What the assembly lends to commands; each opens only what it needs, when it is asked for. */
export interface Powers {
  openWorld(place: Place, terminal: Terminal): Promise<OpenedWorld>;
  openSigner(place: Place, terminal: Terminal): Promise<Signer>;
  serve(configuration: string, terminal: Terminal): Promise<Running>;
  forge(options: { readonly data: string; readonly listen: string }, terminal: Terminal): Promise<Running>;
  addForgeUser(options: { readonly data: string; readonly name: string }): Promise<{ readonly token: string }>;
  /** Makes a repository of a folder of files: one commit of them, one of the locks. */
  initRepository(path: string, terminal: Terminal): Promise<void>;
  /** What the demo does as people: a key of their own, and a clone in which commits are signed with it. */
  openKey(path: string, name: string): Promise<Signer>;
  openClone(path: string): Promise<Repository>;
  openCluster(kubeconfig: string): Promise<ClusterInHand>;
  openLayouts(terminal: Terminal): Promise<Layouts>;
  openBundles(): Promise<Bundles>;
  /** The private key in a file that cosign encrypted, as PKCS#8 in PEM. */
  openCosignKey(text: string, password: Secret): Promise<Secret>;
  /** Registries as the configuration around the caller says, or as docker would. */
  openRegistry(place: Place, terminal: Terminal, options: { readonly isHttpAllowed: boolean }): Promise<Registry>;
  /** The sigstore trusted root that the configuration names; undefined where it names none. */
  trustedRoot(place: Place, terminal: Terminal): Promise<Uint8Array | undefined>;
}
