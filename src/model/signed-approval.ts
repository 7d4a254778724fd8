import { sha256Of, toSha256, type Sha256 } from '#model/digest.ts';
import { APPROVAL } from '#model/evidence.ts';
import type { Parsed } from '#model/git-objects.ts';
import { type Instant, instantText, parseInstant } from '#model/instant.ts';
import { canonicalJson, isJsonObject, type Json, jsonText, valueAt } from '#model/json.ts';
import { publicKeyOf } from '#model/public-key.ts';
import type { SignatureFact } from '#model/signature-finding.ts';
import { sshPublicKeyText } from '#model/ssh-key.ts';
import { parseSshSignature, verifySshSignature } from '#model/ssh-signature.ts';

/** What a person's key signs for: a signature of a commit is never an approval, and the other way round. */
export const APPROVAL_NAMESPACE = 'capstan-approval';
const FORMAT = 1;
const LARGEST = 64 * 1024;

/** One change set in one environment: the same moves elsewhere are another decision. */
export interface Approved {
  readonly environment: string;
  /** `cs-35abd357876817cd`, and the whole digest that it begins with. */
  readonly changeSet: string;
  readonly sha256: Sha256;
}

/** A person's signature over an approval, whose mathematics hold; whether that person may is judged by the project. */
export interface ApprovalFact {
  readonly fact: SignatureFact;
  /** `ssh-ed25519 AAAA...` */
  readonly sshKey: string;
  readonly approved: Approved;
  readonly at: Instant;
}

/** The bytes that a person signs (`ssh-keygen -Y sign -n capstan-approval`), the same for the same second. */
export function approvalText({ environment, changeSet, sha256 }: Approved, at: Instant): string {
  const subject = [{ name: `change-sets/${changeSet}`, digest: { sha256 } }];
  const predicate = { attestedBy: 'person', environment, changeSet, approvedOn: instantText(at) };
  return canonicalJson({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: APPROVAL, predicate });
}

/** How it lies on the evidence branch. */
export function approvalFile(statement: string, signature: string): string {
  return `${JSON.stringify({ formatVersion: FORMAT, statement, signature }, null, 2)}\n`;
}

/** Reads such a file and checks its signature; says nothing on whose key it is. */
export function parseApproval(bytes: Uint8Array): Parsed<ApprovalFact> {
  if (bytes.byteLength > LARGEST) return wrong('it is larger than an approval may be');
  const file = parsed(Buffer.from(bytes).toString('utf8'));
  if (!isJsonObject(file) || file['formatVersion'] !== FORMAT) return wrong('it is no approval of a known form');
  const [statement, armoured] = [jsonText(file['statement']), jsonText(file['signature'])];
  const signature = parseSshSignature(armoured.trim(), APPROVAL_NAMESPACE);
  if (!signature.ok) return wrong(signature.reason);
  if (!verifySshSignature(signature.value, Buffer.from(statement, 'utf8'))) return wrong('the signature does not fit the statement');
  const approved = parsed(statement);
  const read = approvedIn(approved);
  const at = parseInstant(jsonText(valueAt(approved, '/predicate/approvedOn')));
  if (read === undefined || at === undefined) return wrong('what was signed is no approval of a person');
  const { publicKey } = signature.value;
  const fact: SignatureFact = {
    subjects: [{ name: `change-sets/${read.changeSet}`, digest: { sha256: read.sha256 } }],
    predicateType: APPROVAL,
    predicate: valueAt(approved, '/predicate'),
    signer: { kind: 'key', spkiSha256: publicKeyOf(publicKey.key).spkiSha256 },
    signedAt: undefined,
    annotations: {},
    bundle: sha256Of(bytes),
  };
  return { ok: true, value: { fact, sshKey: sshPublicKeyText(publicKey), approved: read, at } };
}

function approvedIn(statement: Json | undefined): Approved | undefined {
  if (valueAt(statement, '/predicateType') !== APPROVAL || valueAt(statement, '/predicate/attestedBy') !== 'person') return undefined;
  const environment = jsonText(valueAt(statement, '/predicate/environment'));
  const changeSet = jsonText(valueAt(statement, '/predicate/changeSet'));
  const sha256 = jsonText(valueAt(statement, '/subject/0/digest/sha256'));
  if (environment === '' || !/^cs-[0-9a-f]{16}$/.test(changeSet) || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  return { environment, changeSet, sha256: toSha256(sha256) };
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function wrong(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
