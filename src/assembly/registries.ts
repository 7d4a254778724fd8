import { findPlace } from '#cli/found.ts';
import type { Configuration } from '#cli/found.ts';
import type { Place, Terminal } from '#cli/powers.ts';
import type { WorldPorts } from '#loops/create-world.ts';
import type { Registry } from '#ports/registry.ts';

export interface RegistryAccess {
  /** Undefined: as docker on this machine would. */
  readonly configuration: Configuration | undefined;
  readonly env: Terminal['env'];
  /** Plain HTTP for registries that speak nothing better, by a word of the caller. */
  readonly isHttpAllowed: boolean;
}

/** The client is loaded when the first registry is asked. */
export function lazyRegistry(access: RegistryAccess): () => Promise<Registry> {
  let loaded: Promise<Registry> | undefined;
  return () => {
    loaded ??= registryFor(access);
    return loaded;
  };
}

/** Where capsules lie as artifacts, if the configuration says so. */
export function capsuleArtifacts({
  configuration,
  registry,
}: {
  readonly configuration: Configuration | undefined;
  readonly registry: () => Promise<Registry>;
}): WorldPorts['capsuleArtifacts'] {
  const below = configuration?.registries.capsules;
  if (below === undefined) return undefined;
  return { registry, repositoryOf: (capsule) => ({ registry: below.registry, name: `${below.name}/${capsule}` }) };
}

export async function openRegistry(
  place: Place,
  terminal: Terminal,
  { isHttpAllowed }: Pick<RegistryAccess, 'isHttpAllowed'>,
): Promise<Registry> {
  const { configuration } = await findPlace(place, terminal);
  return registryFor({ configuration, env: terminal.env, isHttpAllowed });
}

async function registryFor({ configuration, env, isHttpAllowed }: RegistryAccess): Promise<Registry> {
  const { ociRegistry } = await import('#adapters/oci/oci.ts');
  const known = configuration?.registries;
  return ociRegistry({
    dockerConfig: known?.dockerConfig,
    env,
    allowHttp: isHttpAllowed ? 'everywhere' : (known?.allowHttp ?? new Set()),
    mirrors: known?.mirrors ?? new Map(),
  });
}
