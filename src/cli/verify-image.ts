import type { VerifiedImage } from '#loops/verify-image.ts';
import { parseImageReference } from '#model/image.ts';
import { instantText, toInstant } from '#model/instant.ts';
import type { SignatureFact } from '#model/signature-finding.ts';
import { IMAGE_SIGNATURE } from '#model/signature-finding.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printable, printDocument } from './output.ts';
import { placeOf } from './repository.ts';
import { credentialIn, trustedRootFor } from './signature-credentials.ts';

/** The names that cosign has for predicate types (`--type`). */
const PREDICATES: ReadonlyMap<string, string> = new Map([
  ['slsaprovenance', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance02', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance1', 'https://slsa.dev/provenance/v1'],
  ['link', 'https://in-toto.io/Link/v1'],
  ['spdx', 'https://spdx.dev/Document'],
  ['spdxjson', 'https://spdx.dev/Document'],
  ['cyclonedx', 'https://cyclonedx.org/bom'],
  ['vuln', 'https://cosign.sigstore.dev/attestation/vuln/v1'],
  ['openvex', 'https://openvex.dev/ns'],
  ['custom', 'https://cosign.sigstore.dev/attestation/v1'],
]);

/** 0 accepted, 3 refused, 1 not in its registry. */
export async function verifyImage(invocation: Invocation): Promise<number> {
  const { words, options, powers, terminal } = invocation;
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const [wanted = ''] = words;
  const { repository, digest } = imageIn(wanted);
  const predicateType = predicateIn(options.type);
  const annotations = annotationsIn(options.annotation);
  const bundles = await powers.openBundles();
  const credential = await credentialIn(invocation, bundles);
  const trustedRoot = await trustedRootFor(invocation, bundles, credential.kind === 'keyless');
  const registry = await powers.openRegistry(placeOf(options), terminal, { isHttpAllowed: options.allowHttpRegistry === true });
  const { verifyImage: verify } = await import('#loops/verify-image.ts');
  const stated = options.requireRepository === true ? `${repository.registry}/${repository.name}` : undefined;
  const verdict = await verify(
    { registry, bundles, clock: { now: () => toInstant(Date.now()) } },
    { repository, digest, credentials: [credential], trustedRoot, isLegacyAllowed: options.allowLegacySignatures === true },
    { predicateType, annotations, repository: stated },
  );
  const image = `${repository.registry}/${repository.name}@${digest}`;
  const sentence = sentenceOf(image, verdict, predicateType);
  if (format === 'json') printDocument(terminal, 'ImageVerdict', { image, predicateType, ...verdictDocument(verdict), sentence });
  else terminal.out(`${printable(sentence)}\n`);
  switch (verdict.kind) {
    case 'accepted':
      return EXIT.ok;
    case 'refused':
      return EXIT.refused;
    case 'missing':
      return EXIT.failed;
  }
}

interface Image {
  readonly repository: { readonly registry: string; readonly name: string };
  readonly digest: string;
}

/** A tag can be moved between the look at it and its use: only a digest says what was verified. */
function imageIn(text: string): Image {
  const reference = parseImageReference(text);
  if ('wrong' in reference) throw new UsageError(`"${withoutLogin(text).slice(0, 200)}" is no image: the reference ${reference.wrong}`);
  const { registry, name, tag, digest } = reference;
  if (digest === undefined)
    throw new UsageError(
      `${tag === undefined ? text : `the tag ${tag}`} can name another image tomorrow; verify what it names now: ` +
        `${registry}/${name}@sha256:DIGEST ('skopeo inspect --format {{.Digest}} docker://${registry}/${name}:${tag ?? 'latest'}' prints it)`,
    );
  return { repository: { registry, name }, digest };
}

function predicateIn(given: Invocation['options'][string]): string {
  if (given === undefined) return IMAGE_SIGNATURE;
  const known = typeof given === 'string' ? (PREDICATES.get(given) ?? given) : '';
  if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(known))
    throw new UsageError(`--type "${known.slice(0, 200)}" is neither a URI nor one of ${[...PREDICATES.keys()].join(', ')}`);
  return known;
}

function annotationsIn(given: Invocation['options'][string]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pair of typeof given === 'string' ? given.split('\n') : []) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new UsageError(`--annotation "${pair.slice(0, 200)}" is not KEY=VALUE`);
    found.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return found;
}

function sentenceOf(image: string, verdict: VerifiedImage, predicateType: string): string {
  switch (verdict.kind) {
    case 'accepted':
      return `${image} is accepted: ${verdict.sentence}`;
    case 'refused':
      return `${image} is not accepted: ${verdict.sentence} (${verdict.code})${remedyFor(verdict.code, predicateType)}`;
    case 'missing':
      return `${image} is not there: ${verdict.sentence}`;
  }
}

function remedyFor(code: Extract<VerifiedImage, { kind: 'refused' }>['code'], predicateType: string): string {
  if (code === 'legacy-signature') return '. Sign it again with cosign 3, or accept the older format with --allow-legacy-signatures';
  if (code === 'could-not-look') return '. Nothing is known about its signatures; try again';
  if (code !== 'unsigned') return '';
  return predicateType === IMAGE_SIGNATURE
    ? ". Sign it: 'cosign sign --key cosign.key IMAGE@DIGEST'"
    : ". Attest it: 'cosign attest --key cosign.key --type TYPE --predicate FILE IMAGE@DIGEST'";
}

function verdictDocument(verdict: VerifiedImage): object {
  switch (verdict.kind) {
    case 'accepted':
      return { verdict: 'accepted', code: null, signatures: verdict.facts.map(signatureDocument) };
    case 'refused':
      return { verdict: 'refused', code: verdict.code, signatures: [] };
    case 'missing':
      return { verdict: 'missing', code: 'not-found', signatures: [] };
  }
}

function signatureDocument({ signer, signedAt, seenBy = [], predicateType, subjects, annotations, bundle }: SignatureFact): object {
  return {
    signer: signer.kind === 'key' ? { key: signer.spkiSha256 } : { issuer: signer.issuer, identity: signer.identity },
    signedAt: signedAt === undefined ? null : instantText(signedAt),
    seenBy,
    predicateType: predicateType ?? null,
    subjects,
    annotations,
    bundle,
  };
}

/** Logins are no part of a reference; who writes one all the same has it repeated nowhere. */
function withoutLogin(text: string): string {
  return text.replace(/^[^/@]*:[^/@]*@(?!sha256:)/, '[login]@');
}
