import { placeInFile, type Problem } from '#model/problem.ts';
import type { AuditRecord } from '#model/receipt.ts';
import { digestOf, GENESIS, pathOf } from './records.ts';

/** Every break in a chain of records, named at the record: gap, fork, wrong order, changed content. `from` is where a partial chain starts. */
export function chainProblems(
  records: readonly AuditRecord[],
  from: { readonly seq: number; readonly prev: string } | undefined,
): readonly Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<number, string>();
  let seq = from?.seq ?? 0;
  let prev = from?.prev ?? GENESIS;
  for (const record of records) {
    const digest = digestOf(record);
    const twin = seen.get(record.data.seq);
    if (twin !== undefined) problems.push(broken('audit-fork', record, `has number ${record.data.seq} like record ${twin}`));
    else if (record.data.seq < seq + 1) problems.push(broken('audit-order', record, `has number ${record.data.seq} behind number ${seq}`));
    else if (record.data.seq > seq + 1) {
      const missing =
        record.data.seq === seq + 2 ? `number ${seq + 1} is missing` : `numbers ${seq + 1} to ${record.data.seq - 1} are missing`;
      problems.push(broken('audit-gap', record, `has number ${record.data.seq}; ${missing}`));
    } else if (record.data.prev !== prev) {
      problems.push(broken('audit-chain', record, `names ${record.data.prev} as the record before it, which is ${prev}`));
    }
    seen.set(record.data.seq, record.id);
    seq = Math.max(seq, record.data.seq);
    prev = `sha256:${digest}`;
  }
  return problems;
}

function broken(code: string, record: AuditRecord, what: string): Problem {
  return {
    code,
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `audit record ${record.id} ${what}`,
    remedy: 'Compare the audit branch with another clone; records are only ever added by the engine.',
    place: placeInFile(pathOf(record.id, record.time)),
    related: [],
  };
}
