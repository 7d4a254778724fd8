import { join } from 'node:path';

import { directoryTargets } from '#adapters/directory/directory.ts';
import { gitRepository } from '#adapters/git/git.ts';
import { kubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import { fileSigner, keptFiles, randomIds, systemChance, systemClock, systemTimers } from '#adapters/machine/machine.ts';
import { ociRegistry } from '#adapters/oci/oci.ts';
import { renderWorkers } from '#adapters/render-workers/render-workers.ts';
import { commitSignatures } from '#adapters/signatures/signatures.ts';
import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { createWorld } from '#loops/create-world.ts';
import type { World } from '#loops/world.ts';
import type { ClusterAccess } from '#model/cluster-access.ts';
import type { Forge } from '#ports/forge.ts';
import type { Journal } from '#ports/machine.ts';
import type { Renderer } from '#ports/renderer.ts';
import type { ObjectLimits } from '#ports/repository.ts';
import type { Targets } from '#ports/target.ts';

export const LIMITS: ObjectLimits = { blobBytes: 32 * 1024 * 1024, treeEntries: 200_000, refs: 100_000 };

export const quietJournal: Journal = { info: nothing, warn: nothing, error: nothing, debug: nothing };

/** The real adapters below one folder, put together as the assembly does. */
export async function openWorld(options: {
  readonly folder: string;
  readonly remote: NonNullable<Parameters<typeof gitRepository>[0]['remote']>;
  readonly forge?: Forge;
  /** One that has rendered before, and that its owner closes; default: a new one. */
  readonly renderer?: Renderer;
  /** Targets are this cluster instead of directories. */
  readonly cluster?: { readonly kubeconfig: string };
}): Promise<{ readonly world: World; readonly targets: Targets; readonly close: () => Promise<void> }> {
  const repository = await gitRepository({ path: join(options.folder, 'mirror.git'), remote: options.remote, limits: LIMITS });
  const renderer = options.renderer ?? renderWorkers({});
  const targets: Targets =
    options.cluster === undefined
      ? directoryTargets({ root: join(options.folder, 'targets') })
      : kubernetesTargets({ ...MACHINE, credentials: new Map([['bench', accessTo(options.cluster.kubeconfig)]]), secrets: undefined });
  const bundles = async () => sigstoreBundles();
  const world = createWorld({
    repository,
    renderer,
    forge: options.forge,
    clock: systemClock,
    settings: {
      branch: 'main',
      source: '/gitops/acme-bench',
      repository: 'acme/bench',
      version: '0.1.0',
      trustRoot: undefined,
      trustSigners: undefined,
      driftInterval: 24 * 3_600_000,
    },
    targets,
    ids: randomIds(),
    signer: await fileSigner(join(options.folder, 'engine_ed25519'), { name: 'Bench', email: 'bench@example.com' }),
    journal: quietJournal,
    bundles,
    machineRoot: async () => undefined,
    registry: async () => ociRegistry({ dockerConfig: undefined, env: {}, allowHttp: new Set(), mirrors: new Map() }),
    kept: keptFiles(join(options.folder, 'kept')),
    signatures: async () => commitSignatures(bundles),
  });
  return {
    world,
    targets,
    close: async () => {
      await targets.close?.();
      if (options.renderer === undefined) await renderer.close();
      await repository.close();
    },
  };
}

const MACHINE = { clock: systemClock, timers: systemTimers, chance: systemChance };

function accessTo(file: string): ClusterAccess {
  return {
    source: { kind: 'kubeconfig', file, context: undefined, allowExec: false },
    environments: undefined,
    namespaces: undefined,
    clusterResources: [],
    impersonate: undefined,
  };
}

function nothing(): void {}
