import { auditCommitMessage, draftRecords, recordDigest } from '#ledger/ledger.ts';
import type { Instant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Receipt } from '#model/receipt.ts';
import { PortError, isPortError } from '#ports/port-error.ts';
import { appendToBranch } from './branch-writing.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { World } from './world.ts';

const TRIES = 8;
/** Heads of squashed pull requests that one commit keeps reachable. */
const KEPT_AT_ONCE = 16;

export interface RecordRequest {
  readonly prepared: PreparedEnvironment;
  readonly receipts: readonly Receipt[];
  readonly changeSet: string | undefined;
  readonly changeRequest: string | undefined;
  readonly gates: readonly GateReading[];
  readonly onBehalfOf: readonly string[];
}

/**
 * Row 12: writes what happened to the `audit` branch, nothing if nothing is new. A lost race is redrafted on the new head, so two
 * engines leave one chain. Answers when a better health that was held back may be written.
 */
export async function recordReceipts(world: World, request: RecordRequest, signal?: AbortSignal): Promise<Instant | undefined> {
  const ref = branchRef('audit');
  for (let attempt = 1; ; attempt += 1) {
    const head = (await world.repository.refs()).get(ref);
    const view = await world.ledger.at(head);
    const [broken] = view.problems;
    if (broken !== undefined) throw new PortError('invalid', `the audit branch is broken and is not written to: ${broken.message}`);
    const draft = draftRecords(
      view.ledger,
      request.receipts.map((receipt) => ({
        ...request,
        receipt,
        instances: instancesOf(request.prepared, receipt),
        tenant: request.prepared.environment.declared.value.spec.tenancy?.tenant,
      })),
      { source: world.settings.source, repository: world.settings.repository, at: world.clock.now() },
    );
    const [first] = request.receipts;
    if (draft.records.length === 0 || first === undefined) return draft.heldUntil;
    const { squashed } = await world.history.upTo(request.prepared.revision);
    try {
      await appendToBranch(
        world,
        {
          ref,
          expected: head,
          base: head === undefined ? undefined : (await world.repository.commit(head)).tree,
          alsoParents: [...new Set(squashed)].filter((id) => !view.kept.includes(id)).slice(-KEPT_AT_ONCE),
          changes: draft.files.map((file) => ({ kind: 'file', path: file.path, content: Buffer.from(file.content, 'utf8') })),
          message: auditCommitMessage({
            environment: first.environment,
            targets: [...new Set(request.receipts.map((receipt) => receipt.target))].sort(),
            records: draft.records.map(recordDigest),
            runId: first.runId,
            traceId: first.traceId,
          }),
        },
        signal,
      );
      return draft.heldUntil;
    } catch (error) {
      if (!isPortError(error) || error.kind !== 'conflict' || attempt >= TRIES) throw error;
      await world.repository.fetch(signal);
    }
  }
}

function instancesOf(prepared: PreparedEnvironment, receipt: Receipt) {
  const target = prepared.rendered.rendering.targets.find((item) => item.target.name === receipt.target);
  return receipt.rendering === undefined ? undefined : target?.instances;
}
