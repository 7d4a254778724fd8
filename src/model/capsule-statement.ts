import type { ArtifactFacts } from '#model/capsule-artifact.ts';
import { canonicalJson } from '#model/json.ts';
import type { SignatureCode, SignatureFact } from '#model/signature-finding.ts';

/** Predicate type of the signature of a release: who signs it says that these files are this version. */
export const CAPSULE_RELEASE = 'https://capstan.dev/capsule-release/v1';
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
