import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { packFrom, pullArtifact, pushArtifact, type PackedHere, type PulledCapsule } from '#loops/capsule-artifacts.ts';
import { rollbackMistake } from '#loops/capsule-rollback.ts';
import { attachBundle, bundlesBeside } from '#loops/capsule-signing.ts';
import type { ArtifactFacts } from '#model/capsule-artifact.ts';
import type { TarFile } from '#model/tar.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { capsuleIn, configuredPlace, digestAt, openPlace, wantedCapsule, type ArtifactPlace } from './capsule-place.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { countOf, outputFormat, printable, printDocument, printProblems } from './output.ts';
import type { OpenedWorld, Terminal } from './powers.ts';
import { placeOf, snapshotOf } from './repository.ts';

/** Runs `work` on the repository around the caller, and closes it. */
export async function inRepository<T>({ powers, options, terminal }: Invocation, work: (world: OpenedWorld) => Promise<T>): Promise<T> {
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    return await work(world);
  } finally {
    await world.close();
  }
}

/** The artifact of a capsule of this repository, or undefined where its problems were told. */
export async function packedHere(invocation: Invocation, world: OpenedWorld, word: string | undefined): Promise<PackedHere | undefined> {
  const { options, terminal } = invocation;
  const at = await snapshotOf(world, options['rev'] as string | undefined);
  const made = await packFrom(at.world, at.snapshot, wantedCapsule(word));
  if (!made.ok) {
    printProblems(terminal, made.problems);
    return undefined;
  }
  const { name, version, commit } = made.value.facts;
  if (commit === undefined)
    terminal.say(
      `${name}@${version} is not released as it stands here, so the artifact names no commit: nothing that is locked has its digest.\n`,
    );
  return made.value;
}

export async function packCapsule(invocation: Invocation): Promise<number> {
  const { words, options, terminal } = invocation;
  const format = outputFormat(options['output'] as string | undefined, ['text', 'json']);
  const { out } = options;
  const place = typeof out === 'string' ? await openPlace(invocation, localPath(out)) : undefined;
  return inRepository(invocation, async (world) => {
    const packed = await packedHere(invocation, world, words[0]);
    if (packed === undefined) return EXIT.failed;
    if (place !== undefined) {
      const pushed = await pushArtifact(place.registry, place.repository, packed, packed.facts.version);
      if (pushed.kind === 'taken') return taken(terminal, place, { facts: packed.facts, by: pushed.by });
      await place.save();
    }
    return told(terminal, format, {
      facts: packed.facts,
      digest: packed.digest,
      bytes: packed.content.byteLength,
      state: 'packed',
      place: place?.shown,
    });
  });
}

/** `--out greeter` means a folder here, never a registry. */
function localPath(path: string): string {
  return /^[./~]/.test(path) ? path : `./${path}`;
}

export async function pushCapsule(invocation: Invocation): Promise<number> {
  const { words, options, terminal } = invocation;
  const format = outputFormat(options['output'] as string | undefined, ['text', 'json']);
  const [what, where] = words;
  const named = where === undefined ? undefined : await openPlace(invocation, where);
  if (named?.digest !== undefined) throw new UsageError('what is pushed has the digest of its content; name a tag, or nothing');
  if (what !== undefined && capsuleIn(what) === undefined) {
    if (named === undefined) throw new UsageError(NO_PLACE);
    return forward(invocation, await openPlace(invocation, what), named);
  }
  return inRepository(invocation, async (world) => {
    const packed = await packedHere(invocation, world, what);
    if (packed === undefined) return EXIT.failed;
    const { facts, digest } = packed;
    const place = named ?? (await configuredPlace(invocation, world, facts.name));
    if (place === undefined) throw new UsageError(NO_PLACE);
    terminal.say(`pushing ${facts.name}@${facts.version} to ${place.shown}\n`);
    const pushed = await pushArtifact(place.registry, place.repository, packed, tagOf(place, facts));
    if (pushed.kind === 'taken') return taken(terminal, place, { facts, by: pushed.by });
    await place.save();
    return told(terminal, format, { facts, digest, bytes: packed.content.byteLength, state: pushed.kind, place: place.shown });
  });
}

const NO_PLACE = 'name where to (capstan capsule push greeter ghcr.io/acme/capsules/greeter), or set registries.capsules in capstan.yaml';

/** From a layout: the artifact as it was packed and signed elsewhere, its signatures included. */
async function forward(invocation: Invocation, from: ArtifactPlace, to: ArtifactPlace): Promise<number> {
  const { options, terminal } = invocation;
  const digest = await digestAt(from, undefined);
  const pulled = await pullArtifact(from.registry, from.repository, digest);
  if (pulled.kind === 'refused') return refusedArtifact(terminal, from, pulled);
  const { facts, packed, artifact } = pulled.capsule;
  const pushed = await pushArtifact(to.registry, to.repository, packed, tagOf(to, facts));
  if (pushed.kind === 'taken') return taken(terminal, to, { facts, by: pushed.by });
  const { bundles, unread } = await bundlesBeside(from, from.repository, digest);
  if (unread !== undefined) throw new PortError('transient', unread);
  for (const { bytes } of bundles)
    if (bytes !== undefined) await attachBundle(to.registry, to.repository, { subject: artifact, bundle: bytes });
  await to.save();
  const format = outputFormat(options['output'] as string | undefined, ['text', 'json']);
  return told(terminal, format, { facts, digest, bytes: packed.content.byteLength, state: pushed.kind, place: to.shown });
}

function tagOf(place: ArtifactPlace, { version }: ArtifactFacts): string {
  // The only tag of a layout is what is there, not what was asked for.
  return place.kind === 'registry' ? (place.tag ?? version) : version;
}

export async function pullCapsule(invocation: Invocation): Promise<number> {
  const { words, options, terminal } = invocation;
  const format = outputFormat(options['output'] as string | undefined, ['text', 'json']);
  const [from] = words;
  if (from === undefined) throw new UsageError('name what to pull: capstan capsule pull ghcr.io/acme/capsules/greeter:1.4.2 --out greeter');
  const out = typeof options['out'] === 'string' ? resolve(terminal.cwd, options['out']) : undefined;
  if (out !== undefined && (await stat(out).catch(() => undefined)) !== undefined)
    throw new PortError('conflict', `${out} is there already; name a folder that is not`);
  const place = await openPlace(invocation, from);
  const digest = await digestAt(place, undefined);
  const pulled = await pullArtifact(place.registry, place.repository, digest);
  if (pulled.kind === 'refused') return refusedArtifact(terminal, place, pulled);
  const mistake = await mistakeHere(invocation, { place, pulled: pulled.capsule });
  if (mistake !== undefined) return refusedArtifact(terminal, place, mistake);
  if (out !== undefined) await unpack(out, pulled.capsule.files);
  const { facts, packed } = pulled.capsule;
  return told(terminal, format, { facts, digest, bytes: packed.content.byteLength, state: 'pulled', place: out ?? place.shown });
}

/** What this repository knows of the capsule stands against what was pulled; outside of a repository nothing is known. */
async function mistakeHere(
  invocation: Invocation,
  { place, pulled }: { readonly place: ArtifactPlace; readonly pulled: PulledCapsule },
): Promise<Refusal | undefined> {
  const { facts } = pulled;
  const isByDigest = place.digest !== undefined;
  const tag = isByDigest ? undefined : place.tag;
  const isOlderAllowed = isByDigest || invocation.options['allowOlder'] === true;
  const asked = { tag, isOlderAllowed };
  const world = await repositoryAround(invocation);
  if (world === undefined) return rollbackMistake(undefined, facts, asked);
  try {
    return await rollbackMistake(world, facts, asked);
  } finally {
    await world.close();
  }
}

/** Undefined where there is none; what is there and cannot be read is thrown. */
async function repositoryAround({ powers, options, terminal }: Invocation): Promise<OpenedWorld | undefined> {
  try {
    return await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  } catch (error) {
    if (isPortError(error) && error.kind === 'missing' && options['repo'] === undefined && options['config'] === undefined)
      return undefined;
    throw error;
  }
}

/** Into a folder beside the place, which then takes its name: nothing is ever half there. */
async function unpack(out: string, files: readonly TarFile[]): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  const beside = join(dirname(out), `.${basename(out)}-${randomUUID()}`);
  await mkdir(beside);
  try {
    for (const { path, mode, bytes } of files) {
      await mkdir(dirname(join(beside, path)), { recursive: true });
      await writeFile(join(beside, path), bytes, { flag: 'wx', mode: mode === '100755' ? 0o755 : 0o644 });
    }
    await rename(beside, out);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

interface Refusal {
  readonly code: string;
  readonly reason: string;
}

export function refusedArtifact(terminal: Terminal, place: ArtifactPlace, { code, reason }: Refusal): number {
  terminal.err(`${printable(`${place.shown}: refused: ${reason}`)} [${code}]\n`);
  return EXIT.refused;
}

function taken(terminal: Terminal, place: ArtifactPlace, { facts, by }: { readonly facts: ArtifactFacts; readonly by: string }): number {
  return refusedArtifact(terminal, place, {
    code: 'version-taken',
    reason: `it has ${tagOf(place, facts)} already, with other content (${by.slice(0, 19)}): a release never changes. Release a new version.`,
  });
}

interface Told {
  readonly facts: ArtifactFacts;
  readonly digest: string;
  readonly bytes: number;
  readonly state: 'packed' | 'pushed' | 'there-already' | 'pulled';
  readonly place: string | undefined;
}

const WORDS = { packed: 'packed', pushed: 'pushed', 'there-already': 'there already', pulled: 'pulled' } as const;

function told(terminal: Terminal, format: 'text' | 'json', { facts, digest, bytes, state, place }: Told): number {
  const { name, version, sha256, gitTree, commit } = facts;
  if (format === 'json') {
    const document = {
      capsule: name,
      version,
      sha256,
      gitTree,
      commit: commit ?? null,
      artifact: digest,
      bytes,
      state,
      place: place ?? null,
    };
    printDocument(terminal, 'CapsuleArtifact', document);
    return EXIT.ok;
  }
  terminal.say(
    `${name}@${version} ${WORDS[state]}${place === undefined ? '' : ` ${state === 'pulled' ? 'to' : 'at'} ${printable(place)}`}: ${countOf(bytes, 'byte')}, sha256 ${sha256.slice(0, 12)}, tree ${gitTree.slice(0, 12)}\n`,
  );
  terminal.out(`${digest}\n`);
  return EXIT.ok;
}
