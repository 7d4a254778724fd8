import type { ArtifactFacts } from '#model/capsule-artifact.ts';
import { canonicalJson, isJsonObject, jsonText, valueAt, type Json } from '#model/json.ts';
import { parseBoundedJson } from '#model/oci-manifest.ts';
import { visibleText } from '#model/quoted.ts';
import type { SignatureCode, SignatureFact } from '#model/signature-finding.ts';

/** Predicate type of the signature of a release: who signs it says that these files are this version. */
export const CAPSULE_RELEASE = 'https://capstan.dev/capsule-release/v1';
const DEEPEST = 32;
export const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';

/** What is signed of a capsule: an in-toto statement over its artifact and over the content that a lock names. JCS bytes. */
export function capsuleStatement(facts: ArtifactFacts, artifact: string): Uint8Array {
  const { name, version, sha256, gitTree, commit } = facts;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: `${name}@${version}`, digest: { sha256: artifact.slice('sha256:'.length) } },
      { name: subjectName(name), digest: { gitTree, sha256 } },
    ],
    predicateType: CAPSULE_RELEASE,
    predicate: { capsule: name, version, ...(commit === undefined ? {} : { commit }) },
  };
  return Buffer.from(canonicalJson(statement));
}

export function subjectName(capsule: string): string {
  return `capsules/${capsule}`;
}

/** Why a signature whose mathematics hold is none of this content; undefined where it is one. Both digests must match. */
export function statementMistake(
  fact: Pick<SignatureFact, 'subjects' | 'predicateType'>,
  { name, sha256, gitTree }: Pick<ArtifactFacts, 'name' | 'sha256' | 'gitTree'>,
): { readonly code: SignatureCode; readonly reason: string } | undefined {
  if (fact.predicateType !== CAPSULE_RELEASE)
    return {
      code: 'wrong-predicate',
      reason: `has a signed statement of another kind (${fact.predicateType ?? 'none'}), which is no release`,
    };
  const own = fact.subjects.filter((subject) => subject.name === subjectName(name));
  if (own.length === 0)
    return { code: 'wrong-digest', reason: `carries the signature of another capsule (${fact.subjects.at(-1)?.name ?? 'none'})` };
  const digestOf = (digest: Readonly<Record<string, string>>, algorithm: string) =>
    Object.hasOwn(digest, algorithm) ? digest[algorithm] : undefined;
  const same = own.find(({ digest }) => digestOf(digest, 'sha256') === sha256);
  if (same === undefined) {
    const other = own.map(({ digest }) => (digestOf(digest, 'sha256') ?? 'none').slice(0, 12)).join(', ');
    return { code: 'wrong-digest', reason: `carries the signature of another content (sha256 ${other})` };
  }
  return digestOf(same.digest, 'gitTree') === gitTree
    ? undefined
    : {
        code: 'wrong-digest',
        reason: `carries a signature of another git tree (${(digestOf(same.digest, 'gitTree') ?? 'none').slice(0, 12)})`,
      };
}

/** Why a bundle that somebody made is about something else (a clause after "it"); who signed it is judged where it counts. */
export function bundleMistake(bundle: Uint8Array, facts: Pick<ArtifactFacts, 'name' | 'sha256' | 'gitTree'>): string | undefined {
  const statement = statementIn(bundle);
  const [subjects, predicateType] = [valueAt(statement, '/subject'), valueAt(statement, '/predicateType')];
  if (!Array.isArray(subjects)) return 'carries no signed in-toto statement';
  const read = subjects.map((subject: Json) => {
    const digest = valueAt(subject, '/digest');
    return {
      name: jsonText(valueAt(subject, '/name')),
      digest: isJsonObject(digest) ? Object.fromEntries(Object.entries(digest).map(([name, value]) => [name, jsonText(value)])) : {},
    };
  });
  const type = typeof predicateType === 'string' ? predicateType : undefined;
  const mistake = statementMistake({ subjects: read, predicateType: type }, facts);
  return mistake === undefined ? undefined : visibleText(mistake.reason);
}

/** What kind of statement a bundle says it carries, whoever signed it: for the wording of what is refused, never for a decision. */
export function claimedPredicateType(bundle: Uint8Array): string | undefined {
  const type = valueAt(statementIn(bundle), '/predicateType');
  return typeof type === 'string' ? type : undefined;
}

function statementIn(bundle: Uint8Array): Json | undefined {
  const payload = valueAt(parseBoundedJson(bundle, DEEPEST), '/dsseEnvelope/payload');
  return typeof payload === 'string' ? parseBoundedJson(Buffer.from(payload, 'base64'), DEEPEST) : undefined;
}
