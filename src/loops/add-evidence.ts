import type { CommitId } from '#model/digest.ts';
import { objectIdOf } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { branchRef, toRefName } from '#model/names.ts';
import { LARGEST_BUNDLE } from '#model/signature-finding.ts';
import { ulidOf } from '#model/ulid.ts';
import type { BundleDraft } from '#ports/bundles.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { writeEngineCommit } from './branch-writing.ts';
import { evidencePath } from './evidence-branch.ts';
import type { World } from './world.ts';

/** One statement, about one content, to be signed and put where gates look for it. */
export interface NewStatement {
  readonly subject: { readonly name: string; readonly digest: { readonly sha256: string; readonly gitTree?: string } };
  /** Gate or type of gate, as its file is called. */
  readonly answers: string;
  readonly predicateType: string;
  readonly predicate: Json;
  /** When it came to be so, if that is known: the same statement then has the same name whoever signs it down again, with whatever bytes. */
  readonly at?: Instant;
}

export interface NewEvidence {
  readonly branch: string;
  readonly statements: readonly NewStatement[];
  readonly key: BundleDraft['key'];
  /** The engine signs its commits; CI has no key for that, and needs none: what counts is signed in itself. */
  readonly by: 'engine' | 'anyone';
  readonly message: string;
}

export interface AddedEvidence {
  readonly path: string;
  readonly isNew: boolean;
  readonly bundle: Uint8Array;
}

const TRIES = 8;
const AUTHOR = { name: 'Capstan evidence', email: 'evidence@capstan.invalid' };

type AddingWorld = Pick<World, 'repository' | 'evidence' | 'bundles' | 'clock' | 'ids' | 'signer'>;

/** A bundle that is signed already, and the content that it is about. */
export interface SignedEvidence {
  readonly sha256: string;
  /** Gate or type of gate, as its file is called. */
  readonly answers: string;
  readonly bundle: Uint8Array;
  /** ULID in the name of its file; default: a fresh one. */
  readonly id?: string;
  /** Default: a sigstore bundle. */
  readonly form?: 'approval';
}

export interface EvidenceToAppend extends Pick<NewEvidence, 'branch' | 'by' | 'message'> {
  readonly bundles: readonly SignedEvidence[];
}

/** Signs statements and appends them to the evidence branch. */
export async function addEvidence(world: AddingWorld, request: NewEvidence, signal?: AbortSignal): Promise<readonly AddedEvidence[]> {
  if (!mayHoldEvidence(request.branch)) throw new PortError('invalid', `${request.branch} cannot be the branch of evidence`);
  const bundles = await Promise.all(
    request.statements.map(async (statement) => {
      const payload = payloadOf(statement);
      return {
        sha256: statement.subject.digest.sha256,
        answers: statement.answers,
        bundle: await signed(world, request, { statement, payload }),
        ...(statement.at === undefined ? {} : { id: ulidOf(payload, statement.at) }),
      };
    }),
  );
  return appendEvidence(world, { ...request, bundles }, signal);
}

/** Appends bundles to the evidence branch, which only grows; the very same bundle is not put there twice. */
export async function appendEvidence(
  world: Omit<AddingWorld, 'bundles'>,
  request: EvidenceToAppend,
  signal?: AbortSignal,
): Promise<readonly AddedEvidence[]> {
  if (!mayHoldEvidence(request.branch)) throw new PortError('invalid', `${request.branch} cannot be the branch of evidence`);
  const ref = branchRef(request.branch);
  for (let attempt = 1; ; attempt += 1) {
    const expected = (await world.repository.refs()).get(ref);
    const head = await newestHead(world, request.branch, expected);
    const added = await Promise.all(request.bundles.map((one) => placed(world, head, one)));
    const fresh = added.filter((one) => one.isNew);
    if (fresh.length === 0) return added;
    const changes = fresh.map(({ path, bundle }) => ({ kind: 'file' as const, path, content: bundle }));
    const base = head === undefined ? undefined : (await world.repository.commit(head)).tree;
    const draft = { base, changes, parents: head === undefined ? [] : [head], message: request.message };
    try {
      const next =
        request.by === 'engine'
          ? await writeEngineCommit(world, draft)
          : await world.repository.writeCommit({ ...draft, author: { ...AUTHOR, at: world.clock.now(), zone: '+0000' } }, undefined);
      await world.repository.push([{ ref, expected, next }], signal);
      return added;
    } catch (error) {
      if (!isPortError(error) || error.kind !== 'conflict' || attempt >= TRIES) throw error;
      await world.repository.fetch(signal);
    }
  }
}

/** In a person's clone the branch may stand only as the remote's, or be behind it. */
async function newestHead(
  world: Pick<AddingWorld, 'repository'>,
  branch: string,
  own: CommitId | undefined,
): Promise<CommitId | undefined> {
  const remote = (await world.repository.refs()).get(toRefName(`refs/remotes/origin/${branch}`));
  if (own === undefined || remote === undefined) return own ?? remote;
  return (await world.repository.isAncestor(own, remote)) ? remote : own;
}

/** Branches with a meaning of their own are not written to, whatever a project calls its evidence. */
function mayHoldEvidence(name: string): boolean {
  return !/^(main|master|audit|rendered|promote|rollback|drift|refs)(\/|$)/.test(name);
}

function payloadOf({ subject: { name, digest }, predicateType, predicate }: NewStatement): Uint8Array {
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject: [{ name, digest: { ...digest } }], predicateType, predicate };
  return Buffer.from(canonicalJson(statement), 'utf8');
}

async function signed(
  world: AddingWorld,
  { key }: NewEvidence,
  { statement, payload }: { readonly statement: NewStatement; readonly payload: Uint8Array },
): Promise<Uint8Array> {
  const bundle = await (await world.bundles()).sign({ payloadType: 'application/vnd.in-toto+json', payload, key });
  if (bundle.byteLength <= LARGEST_BUNDLE) return bundle;
  throw new PortError(
    'invalid',
    `the statement about ${statement.subject.name} has ${bundle.byteLength} bytes when signed; at most ${LARGEST_BUNDLE} are read`,
  );
}

async function placed(
  world: Pick<AddingWorld, 'evidence' | 'ids'>,
  head: CommitId | undefined,
  { sha256, answers, bundle, form, id }: SignedEvidence,
): Promise<AddedEvidence> {
  const there = await world.evidence.of(head, sha256);
  const blob = objectIdOf('blob', bundle);
  const path = evidencePath(sha256, `${answers}-${id ?? world.ids.runId()}`, form);
  const known = there.bundles.find(
    (one) => one.path === path || (one.blob === blob && one.answers === answers && one.form === (form ?? 'sigstore')),
  );
  return { path: known?.path ?? path, isNew: known === undefined, bundle };
}
