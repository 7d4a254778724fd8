import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { WantedCapsule } from '#loops/capsule-artifacts.ts';
import { parseImageReference } from '#model/image.ts';
import { toInstant } from '#model/instant.ts';
import { isName } from '#model/names.ts';
import { isVersion } from '#model/version.ts';
import type { Clock } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';
import type { Invocation } from './cli.ts';
import { UsageError } from './exit-code.ts';
import type { Layouts, OpenedWorld } from './powers.ts';
import { placeOf } from './repository.ts';

const LARGEST_ARCHIVE = 256 * 1024 * 1024;

const CLOCK: Clock = { now: () => toInstant(Date.now()) };

/** Where artifacts lie: a registry, or a layout on this machine. */
export interface ArtifactPlace {
  readonly registry: Registry;
  readonly repository: ImageRepository;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** For people: what was named. */
  readonly shown: string;
  readonly kind: 'registry' | 'layout';
  /** Tells how long looking for signatures takes. */
  readonly clock: Clock;
  /** Writes what only lies in memory; to be called when all went well. */
  readonly save: () => Promise<void>;
}

/** `greeter`, `greeter@1.4.2`; undefined for everything else. */
export function capsuleIn(word: string): WantedCapsule | undefined {
  const [name = '', version, ...more] = word.split('@');
  if (!isName(name) || more.length > 0 || (version !== undefined && !isVersion(version))) return undefined;
  return { name, version };
}

export function wantedCapsule(word: string | undefined): WantedCapsule {
  const wanted = word === undefined ? undefined : capsuleIn(word);
  if (wanted === undefined)
    throw new UsageError(`name a capsule (greeter), or a released version of it (greeter@1.4.2), not "${word ?? ''}"`);
  return wanted;
}

/** A place to read from or write to: `./folder`, `file.tar`, or a reference of a registry. */
export async function openPlace({ powers, options, terminal }: Invocation, word: string): Promise<ArtifactPlace> {
  const [, path = '', named] = /^((?:[./~]|[^:@]*\.tar(?::|$)).*?)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$/.exec(word) ?? [];
  if (path !== '') return openLayout(await powers.openLayouts(terminal), { path: resolve(terminal.cwd, path), shown: path, named });
  const reference = parseImageReference(word.replace(/^(docker|oci):\/\//, ''));
  if ('wrong' in reference)
    throw new UsageError(`"${word}" is neither a layout (./folder, greeter.tar) nor a reference of a registry: it ${reference.wrong}`);
  const { registry, name, tag, digest } = reference;
  return {
    kind: 'registry',
    clock: CLOCK,
    registry: await powers.openRegistry(placeOf(options), terminal, { isHttpAllowed: options['allowHttpRegistry'] === true }),
    repository: { registry, name },
    tag,
    digest,
    shown: `${registry}/${name}`,
    save: async () => undefined,
  };
}

/** Where the configuration says that a capsule lies; undefined where it says nothing. */
export async function configuredPlace(
  { powers, options, terminal }: Invocation,
  world: OpenedWorld,
  capsule: string,
): Promise<ArtifactPlace | undefined> {
  const repository = world.artifactsOf?.(capsule);
  if (repository === undefined) return undefined;
  return {
    kind: 'registry',
    clock: CLOCK,
    registry: await powers.openRegistry(placeOf(options), terminal, { isHttpAllowed: options['allowHttpRegistry'] === true }),
    repository,
    tag: undefined,
    digest: undefined,
    shown: `${repository.registry}/${repository.name}`,
    save: nothing,
  };
}

async function openLayout(
  layouts: Layouts,
  { path, shown, named }: { readonly path: string; readonly shown: string; readonly named: string | undefined },
): Promise<ArtifactPlace> {
  const { layout, save } = path.endsWith('.tar') ? await openArchive(layouts, path) : { layout: await layouts.folder(path), save: nothing };
  const tags = await layout.tags();
  return {
    kind: 'layout',
    clock: CLOCK,
    registry: layout.registry,
    repository: { registry: 'layout', name: 'layout' },
    tag: named ?? (tags.length === 1 ? tags[0] : undefined),
    digest: undefined,
    shown,
    save,
  };
}

async function openArchive(layouts: Layouts, path: string) {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && found.size > LARGEST_ARCHIVE) throw new PortError('invalid', `${path} has more than ${LARGEST_ARCHIVE} bytes`);
  const archive = await layouts.archive(found === undefined ? undefined : await readFile(path));
  return { layout: archive, save: () => writeWhole(path, archive.bytes()) };
}

/** Whole or not at all. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.part-${process.pid}`;
  try {
    await writeFile(beside, bytes, { flush: true });
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}

async function nothing(): Promise<void> {}

/** The one artifact that is meant: by digest, by tag, or the only one of a layout. A tag is read once, here. */
export async function digestAt(place: ArtifactPlace, version: string | undefined): Promise<string> {
  if (place.digest !== undefined) return place.digest;
  const tag = place.tag ?? version;
  if (tag === undefined) throw new UsageError(`${place.shown} does not say which version: add :TAG or, for a registry, @sha256:DIGEST`);
  const found = await place.registry.resolveTag(place.repository, tag);
  if (found === undefined) throw new PortError('missing', `${place.shown} has no ${tag}`);
  return found.digest;
}
