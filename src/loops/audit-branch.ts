import { extendLedger, emptyLedger, checkChain } from '#ledger/ledger.ts';
import type { BlobId, CommitId } from '#model/digest.ts';
import type { Problem } from '#model/problem.ts';
import type { AuditRecord } from '#model/receipt.ts';
import { PortError } from '#ports/port-error.ts';
import type { History, ObjectReader } from '#ports/repository.ts';
import { treeDiff } from './tree-diff.ts';

/** What the audit branch says, up to its last record. */
export type Ledger = ReturnType<typeof emptyLedger>;

const RECORD_BYTES = 1_048_576;
const HISTORY_LIMIT = 1_000_000;

/** The ledger as the `audit` branch tells it at one head. */
export interface LedgerView {
  readonly head: CommitId | undefined;
  readonly ledger: Ledger;
  readonly records: readonly AuditRecord[];
  /** Problems of the chain; a ledger with any is not written to. */
  readonly problems: readonly Problem[];
  /** Heads of squashed and rebased pull requests that the branch keeps reachable, the newest first. */
  readonly kept: readonly CommitId[];
}

const EMPTY: LedgerView = { head: undefined, ledger: emptyLedger(), records: [], problems: [], kept: [] };

/** Reads the audit branch; each further head costs what was appended. */
export interface LedgerReader {
  at(head: CommitId | undefined): Promise<LedgerView>;
}

export function createLedgerReader(repository: ObjectReader & History): LedgerReader {
  let known: LedgerView = EMPTY;

  async function at(head: CommitId | undefined): Promise<LedgerView> {
    if (head === known.head) return known;
    if (head === undefined) return EMPTY;
    const chain = await repository.firstParents(head, known.head, HISTORY_LIMIT);
    const extendsKnown = known.head !== undefined && chain.length > 0 && (await repository.isAncestor(known.head, head));
    const base = extendsKnown ? known : EMPTY;
    const added = await addedRecords(repository, base.head, head);
    const records = base.records.length === 0 ? added : [...base.records, ...added];
    const commits = await Promise.all(chain.map((id) => repository.commit(id)));
    const kept = [...commits.flatMap((commit) => commit.parents.slice(1)), ...base.kept];
    known = { head, ledger: extendLedger(base.ledger, added), records, problems: checkChain(records), kept };
    return known;
  }

  return { at };
}

/** Records that lie between two heads of the branch, by their number. */
export async function addedRecords(
  repository: ObjectReader,
  before: CommitId | undefined,
  after: CommitId,
): Promise<readonly AuditRecord[]> {
  const beforeTree = before === undefined ? undefined : (await repository.commit(before)).tree;
  const afterTree = (await repository.commit(after)).tree;
  const changes = await treeDiff(repository, beforeTree, afterTree, 'audit');
  const ids = changes.flatMap((change): BlobId[] =>
    change.after?.kind === 'blob' && change.path.startsWith('audit/') ? [change.after.id] : [],
  );
  const contents = ids.length === 0 ? [] : await repository.blobs(ids);
  return contents.map((bytes) => parseRecord(bytes)).sort((a, b) => a.data.seq - b.data.seq);
}

function parseRecord(bytes: Uint8Array): AuditRecord {
  if (bytes.length > RECORD_BYTES) throw new PortError('invalid', 'an audit record is larger than 1 MiB');
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as AuditRecord;
    const { id, time, data } = record;
    if (typeof id !== 'string' || typeof time !== 'string' || typeof data.prev !== 'string' || !Number.isSafeInteger(data.seq))
      throw new Error('id, time, seq or prev is missing');
    return record;
  } catch (error) {
    throw new PortError('invalid', 'an audit record cannot be read', error);
  }
}
