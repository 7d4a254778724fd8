import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { appendEvidence } from '#loops/add-evidence.ts';
import { pullArtifact } from '#loops/capsule-artifacts.ts';
import { signaturesBeside, signaturesInEvidence } from '#loops/capsule-gathering.ts';
import { attachBundle, signCapsule } from '#loops/capsule-signing.ts';
import { judgeByCredential, judgeByPolicy, type CapsuleFindings } from '#loops/capsule-verdict.ts';
import { evidenceBranch } from '#loops/evidence-branch.ts';
import { trustMaterial } from '#loops/trust-material.ts';
import { CAPSULE_ARTIFACT, type ArtifactFacts } from '#model/capsule-artifact.ts';
import { bundleMistake, CAPSULE_RELEASE, capsuleStatement } from '#model/capsule-statement.ts';
import type { CapsuleSignatureVerdict } from '#model/capsule-verdict.ts';
import { OCI_IMAGE } from '#model/oci-manifest.ts';
import { LARGEST_BUNDLE } from '#model/signature-finding.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { Descriptor } from '#ports/registry.ts';
import { capsuleIn, configuredPlace, digestAt, openPlace, type ArtifactPlace } from './capsule-place.ts';
import { inRepository, packedHere, refusedArtifact } from './capsule-transfer.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { isKeyFor } from './named-key.ts';
import { outputFormat, printable, printDocument } from './output.ts';
import type { OpenedWorld } from './powers.ts';
import { privateKeyAt } from './private-key.ts';
import { headOf } from './repository.ts';
import { credentialIn, fileAt, trustedRootFor, type SignatureCredential } from './signature-credentials.ts';

/** What is signed or verified. */
interface Subject {
  readonly facts: ArtifactFacts;
  readonly artifact: Descriptor;
  /** Trust entries that may sign it by its own declaration; empty: all that are for capsules. */
  readonly identities: readonly string[];
}

/**
 * Signs a capsule, and puts the signature beside its artifact, onto the evidence branch, or into a file. What another program signed
 * (a key service, cosign with a certificate) comes in by `--bundle`; `--statement` writes what it has to sign.
 */
export async function signCapsuleWith(invocation: Invocation): Promise<number> {
  const { words, options, terminal } = invocation;
  const format = outputFormat(options['output'] as string | undefined, ['text', 'json']);
  const [what = '', where] = words;
  const isHere = capsuleIn(what) !== undefined;
  const target = isHere ? where : what;
  const place = target === undefined ? undefined : await openPlace(invocation, target);
  const sign = options['statement'] === true ? undefined : await signatureBy(invocation);
  const run = async (world: OpenedWorld | undefined): Promise<number> => {
    const subject = await subjectOf(invocation, world, isHere ? undefined : place);
    if (subject === undefined) return isHere ? EXIT.failed : EXIT.refused;
    const { facts, artifact } = subject;
    if (sign === undefined) {
      terminal.out(`${Buffer.from(capsuleStatement(facts, artifact.digest)).toString('utf8')}\n`);
      return EXIT.ok;
    }
    const { bundle, key } = await sign(subject);
    const places: string[] = [];
    if (place !== undefined) places.push(await attached(place, artifact, bundle));
    if (typeof options['out'] === 'string') {
      await writeFile(resolve(terminal.cwd, options['out']), bundle);
      places.push(options['out']);
    }
    if (world !== undefined && (options['evidence'] === true || places.length === 0))
      places.push(await recorded(invocation, world, { facts, bundle }));
    const { name, version, sha256, gitTree } = facts;
    const document = { capsule: name, version, sha256, gitTree, artifact: artifact.digest, predicateType: CAPSULE_RELEASE, key, places };
    if (format === 'json') printDocument(terminal, 'CapsuleSignature', document);
    else terminal.out(`${name}@${version} is signed${key === null ? '' : ` by the key sha256:${key}`}: ${printable(places.join(', '))}\n`);
    if (world !== undefined && key !== null && !(await isKeyFor(world, 'capsule', key)))
      terminal.err('warning: no trust entry of the project that is for capsules names the key: for its releases this does not count\n');
    return EXIT.ok;
  };
  return isHere || options['evidence'] === true ? inRepository(invocation, run) : run(undefined);
}

/** How a bundle comes about: signed here with `--key`, or made elsewhere and read from `--bundle`. */
async function signatureBy(
  invocation: Invocation,
): Promise<(subject: Subject) => Promise<{ readonly bundle: Uint8Array; readonly key: string | null }>> {
  const { options, powers, terminal } = invocation;
  const [key, made] = [options['key'], options['bundle']];
  if (typeof made === 'string' && key === undefined) {
    const bundle = await fileAt(made, terminal, LARGEST_BUNDLE);
    return async ({ facts }) => {
      const mistake = bundleMistake(bundle, facts);
      if (mistake !== undefined) throw new PortError('denied', `${made} is no signature of ${facts.name}@${facts.version}: it ${mistake}`);
      return { bundle, key: null };
    };
  }
  if (typeof key !== 'string' || key === '' || made !== undefined)
    throw new UsageError('who signs? Give --key FILE, or --bundle FILE of what another program signed (--statement writes what it signs)');
  const { publicKeyPem, sign } = await privateKeyAt(key, { powers, terminal });
  const bundles = await powers.openBundles();
  return async ({ facts, artifact }) => ({
    bundle: await signCapsule(bundles, { publicKeyPem, sign: async (bytes) => sign(bytes) }, { facts, digest: artifact.digest }),
    key: bundles.keyDigest(publicKeyPem) ?? null,
  });
}

/** Of this repository, or of a place, where everything that it says was computed again. */
async function subjectOf(
  invocation: Invocation,
  world: OpenedWorld | undefined,
  place: ArtifactPlace | undefined,
): Promise<Subject | undefined> {
  if (place === undefined) {
    if (world === undefined) throw new UsageError('name a capsule, a layout or a reference');
    const packed = await packedHere(invocation, world, invocation.words[0]);
    if (packed === undefined) return undefined;
    const { facts, digest, manifest, identities } = packed;
    const artifact = { mediaType: OCI_IMAGE, digest, size: manifest.byteLength, artifactType: CAPSULE_ARTIFACT };
    return { facts, artifact, identities };
  }
  const pulled = await pullArtifact(place.registry, place.repository, await digestAt(place, undefined));
  if (pulled.kind === 'pulled') return pulled.capsule;
  refusedArtifact(invocation.terminal, place, pulled);
  return undefined;
}

async function attached(place: ArtifactPlace, artifact: Descriptor, bundle: Uint8Array): Promise<string> {
  try {
    await place.registry.manifest(place.repository, artifact.digest);
  } catch (error) {
    if (!isPortError(error) || error.kind !== 'missing') throw error;
    throw new PortError('missing', `${place.shown} does not have ${artifact.digest}; push the capsule there first: capstan capsule push`);
  }
  const { digest } = await attachBundle(place.registry, place.repository, { subject: artifact, bundle });
  await place.save();
  return `${place.shown}@${digest}`;
}

async function recorded(
  { terminal }: Invocation,
  world: OpenedWorld,
  { facts, bundle }: { readonly facts: ArtifactFacts; readonly bundle: Uint8Array },
): Promise<string> {
  await world.repository.fetch(terminal.signal);
  const branch = evidenceBranch((await trustOf(world)).trust.project);
  const { name, version, sha256 } = facts;
  const message = `evidence: signature of ${name}@${version}\n`;
  const bundles = [{ sha256, answers: 'signature', bundle }];
  const [added] = await appendEvidence(world, { branch, bundles, by: 'anyone', message }, terminal.signal);
  if (world.forge === undefined) terminal.say(`the branch ${branch} stands in this repository: git push origin ${branch}\n`);
  return `${branch}:${added?.path ?? ''}`;
}

async function trustOf(world: OpenedWorld) {
  const head = await headOf(world);
  return { head, trust: (await world.history.upTo(head)).trust };
}

/** One verdict over the signatures of a capsule: of this repository, of a layout, or in a registry. */
export async function verifyCapsuleAt(invocation: Invocation): Promise<number> {
  const { words, options, powers } = invocation;
  const format = outputFormat(options['output'] as string | undefined, ['text', 'json']);
  const [what = '', where] = words;
  const isHere = capsuleIn(what) !== undefined;
  const target = isHere ? where : what;
  if (what === '')
    throw new UsageError('name a capsule (greeter@1.4.2), a layout (./greeter) or a reference (ghcr.io/acme/greeter@sha256:...)');
  const place = target === undefined ? undefined : await openPlace(invocation, target);
  const bundles = await powers.openBundles();
  const isByHand = ['key', 'certificateOidcIssuer', 'certificateIdentity', 'certificateIdentityPattern'].some(
    (name) => options[name] !== undefined,
  );
  const credential = isByHand ? await credentialIn(invocation, bundles) : undefined;
  const run = async (world: OpenedWorld | undefined): Promise<number> => {
    const subject = await subjectOf(invocation, world, isHere ? undefined : place);
    if (subject === undefined) return isHere ? EXIT.failed : EXIT.refused;
    const from = place ?? (world === undefined ? undefined : await configuredPlace(invocation, world, subject.facts.name));
    const verdict =
      credential === undefined
        ? await byPolicy(world, { subject, place: from, bundles })
        : await byCredential(invocation, world, { subject, place: from, bundles, credential });
    return told(invocation, format, { subject, verdict });
  };
  return isHere || credential === undefined ? inRepository(invocation, run) : run(undefined);
}

interface Looked {
  readonly subject: Subject;
  readonly place: ArtifactPlace | undefined;
  readonly bundles: Awaited<ReturnType<Invocation['powers']['openBundles']>>;
}

async function byPolicy(world: OpenedWorld | undefined, { subject, place, bundles }: Looked): Promise<CapsuleSignatureVerdict> {
  if (world === undefined) throw new UsageError('who must have signed? Give --key, or run it in the repository whose project says so');
  const { trust } = await trustOf(world);
  const material = await trustMaterial(world, trust);
  const found = await findings(world, { subject, place, bundles }, { ...material, branch: evidenceBranch(trust.project) });
  return judgeByPolicy(found, { policy: material.policy, allowed: subject.identities, firstSeen: world.clock.now() });
}

async function byCredential(
  invocation: Invocation,
  world: OpenedWorld | undefined,
  { credential, ...looked }: Looked & { readonly credential: SignatureCredential },
): Promise<CapsuleSignatureVerdict> {
  const trustedRoot = await trustedRootFor(invocation, looked.bundles, credential.kind === 'keyless');
  const branch = world === undefined ? undefined : evidenceBranch((await trustOf(world)).trust.project);
  const found = await findings(world, looked, { credentials: [credential], trustedRoot, policy: undefined, branch });
  const key = credential.kind === 'public-key' ? looked.bundles.keyDigest(credential.pem) : undefined;
  return judgeByCredential(found, credential.kind === 'public-key' ? `the key sha256:${key ?? ''}` : `an identity of ${credential.issuer}`);
}

type Material = Parameters<typeof signaturesInEvidence>[1] & { readonly branch: string | undefined };

/** From where was named or configured, and from the evidence branch of this repository; a layout speaks for itself. */
async function findings(world: OpenedWorld | undefined, { subject, place, bundles }: Looked, material: Material): Promise<CapsuleFindings> {
  const { facts, artifact } = subject;
  const parts = [
    ...(place === undefined ? [] : [await signaturesBeside({ bundles, ...place }, material, { facts, artifact: artifact.digest })]),
    ...(world === undefined || material.branch === undefined || (place !== undefined && place.kind === 'layout')
      ? []
      : [await signaturesInEvidence(world, material, { facts, head: await world.repository.resolve(material.branch) })]),
  ];
  return {
    facts,
    findings: parts.flatMap((part) => part.findings),
    isCut: parts.some((part) => part.isCut),
    unread: parts.map((part) => part.unread).find((reason) => reason !== undefined),
  };
}

interface Judged {
  readonly subject: Subject;
  readonly verdict: CapsuleSignatureVerdict;
}

function told({ terminal }: Invocation, format: 'text' | 'json', { subject, verdict }: Judged): number {
  const { name, version, sha256, gitTree, commit } = subject.facts;
  const code = verdict.kind === 'accepted' ? null : verdict.kind === 'refused' ? verdict.code : 'could-not-look';
  if (format === 'json')
    printDocument(terminal, 'CapsuleVerdict', {
      capsule: name,
      version,
      sha256,
      gitTree,
      commit: commit ?? null,
      artifact: subject.artifact.digest,
      verdict: verdict.kind === 'accepted' ? 'accepted' : 'refused',
      code,
      by: verdict.kind === 'accepted' ? verdict.by : null,
      sentence: verdict.sentence,
    });
  else terminal.out(`${printable(verdict.sentence)}${code === null ? '' : ` (${code})`}\n`);
  return verdict.kind === 'accepted' ? EXIT.ok : EXIT.refused;
}
