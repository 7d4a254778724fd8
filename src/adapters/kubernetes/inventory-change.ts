import type { Sha256 } from '#model/digest.ts';
import { toSha256 } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Step, TargetPlan } from '#model/plan.ts';
import type { Run } from './apply.ts';
import { appliedDigest } from './body.ts';
import type { Row } from './inventory-rows.ts';
import { foundOf } from './observe.ts';
import { stateOf } from './state.ts';

type Rows = ReadonlyMap<string, Row>;

/** All that is held, and whatever this plan is about to make ours; undefined where that is nothing new. */
export function announcedRows(plan: TargetPlan, held: Rows): Rows | undefined {
  const rows = new Map(held);
  let isNew = false;
  for (const step of plan.steps) {
    if (!('text' in step)) continue;
    const text = keyText(step.key);
    const row = rows.get(text);
    // An update announces itself by the mark it puts on the object.
    if (row !== undefined && (!row.pending || row.sha256 === step.sha256)) continue;
    rows.set(text, pendingRow(step, step.sha256));
    isNew = true;
  }
  return isNew ? rows : undefined;
}

/** What is ours once the plan was carried out as far as it was. */
export function rowsAfter(run: Run, announced: Rows): Rows {
  const rows = new Map<string, Row>();
  for (const step of run.plan.steps) {
    const text = keyText(step.key);
    const row = rowAfter(run, step, announced.get(text));
    if (row !== undefined) rows.set(text, row);
  }
  return rows;
}

function rowAfter(run: Run, step: Step, held: Row | undefined): Row | undefined {
  const text = keyText(step.key);
  const result = run.outcomes.get(step)?.result;
  switch (step.action) {
    case 'keep':
      return held === undefined ? pendingRow(step, markedDigest(run, step) ?? step.sha256) : readAnew(run, held);
    case 'prune':
      return result === 'done' && !run.leaving.has(text) ? undefined : result === 'unchanged' && !run.leaving.has(text) ? undefined : held;
    case 'create':
    case 'update':
    case 'adopt':
      return run.written.get(text) ?? (result === 'done' && held !== undefined ? { ...held, path: step.path } : held);
  }
}

/** The row of an object that is read in another version now, with what its fields are in that. */
function readAnew({ cluster }: Run, row: Row): Row {
  const found = foundOf(cluster, row.key);
  if (row.pending || found?.owned === undefined || found.version === undefined || found.version === row.version) return row;
  const isOwn = stateOf(found, row, cluster.marks).kind === 'own';
  return isOwn ? { ...row, owned: found.owned, version: found.version } : row;
}

/** The text that an object was made from that no row names: its mark says. */
function markedDigest({ cluster }: Run, step: Step): Sha256 | undefined {
  const digest = appliedDigest(cluster.marks, foundOf(cluster, step.key)?.applied);
  return digest !== undefined && /^[0-9a-f]{64}$/.test(digest) ? toSha256(digest) : undefined;
}

function pendingRow({ key, path }: Step, sha256: Sha256): Row {
  return { key, path, sha256, pending: true, uid: '', owned: undefined, version: '' };
}
