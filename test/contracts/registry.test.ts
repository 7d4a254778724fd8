import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { archiveRegistry, folderRegistry } from '#adapters/oci-layout/oci-layout.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';
import { memoryRegistry, registryState } from '#test/contracts/memory-registry.ts';
import { registryContract } from '#test/contracts/registry.contract.ts';

registryContract('in memory', async () => ({
  registry: memoryRegistry({ state: registryState() }),
  host: 'registry.acme.example',
  tidy: async () => undefined,
}));

/** A layout is one repository: each of the contract's gets its own. */
function oneForEach(open: (name: string) => Registry): Registry {
  const opened = new Map<string, Registry>();
  const of = ({ name }: ImageRepository): Registry => {
    const registry = opened.get(name) ?? open(name);
    opened.set(name, registry);
    return registry;
  };
  return {
    resolveTag: (repository, tag) => of(repository).resolveTag(repository, tag),
    manifest: (repository, digest) => of(repository).manifest(repository, digest),
    blob: (repository, digest, limit) => of(repository).blob(repository, digest, limit),
    referrers: (repository, digest, artifactType) => of(repository).referrers(repository, digest, artifactType),
    pushBlob: (repository, bytes) => of(repository).pushBlob(repository, bytes),
    pushManifest: (repository, bytes, mediaType, tag) => of(repository).pushManifest(repository, bytes, mediaType, tag),
  };
}

registryContract('a layout in an archive', async () => ({
  registry: oneForEach(() => archiveRegistry(undefined).registry),
  host: 'layout',
  tidy: async () => undefined,
}));

registryContract('a layout in a folder', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'capstan-layout-'));
  return {
    registry: oneForEach((name) => folderRegistry(join(scratch, name)).registry),
    host: 'layout',
    tidy: async () => rmSync(scratch, { recursive: true }),
  };
});
