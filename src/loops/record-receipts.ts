import { auditCommitMessage, draftRecords, recordDigest } from '#ledger/ledger.ts';
import { toSha256 } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { branchRef, toInstanceName } from '#model/names.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Receipt } from '#model/receipt.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { PortError, isPortError } from '#ports/port-error.ts';
import type { Ledger } from './audit-branch.ts';
import { appendToBranch } from './branch-writing.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { World } from './world.ts';

type Instances = Parameters<typeof draftRecords>[1][number]['instances'];

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
    const receipts = request.receipts.filter((receipt) => !isOvertaken(request.prepared, receipt, view.ledger));
    const draft = draftRecords(
      view.ledger,
      receipts.map((receipt) => ({
        ...request,
        receipt,
        instances: instancesOf(request.prepared, receipt, view.ledger),
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

/** What the receipt's rendering holds: a target that waits for its turn keeps what the ledger says it runs. */
function instancesOf(prepared: PreparedEnvironment, receipt: Receipt, ledger: Ledger): Instances {
  const target = renderingOf(prepared, receipt);
  if (receipt.rendering === undefined || receipt.rendering === target?.digest)
    return receipt.rendering === undefined ? undefined : target?.instances;
  const capsules = new Map<string, string>(prepared.pins.map((pin) => [pin.instance, pin.capsule]));
  const standing = ledger.instances.get(`${receipt.environment}/${receipt.target}`) ?? new Map();
  return new Map(
    [...standing].map(([name, { version, sha256 }]) => {
      return [toInstanceName(name), { capsule: capsules.get(name) ?? name, version, sha256: toSha256(sha256) }];
    }),
  );
}

/** Another engine put the wanted rendering there, while this one still saw the target wait. */
function isOvertaken(prepared: PreparedEnvironment, receipt: Receipt, ledger: Ledger): boolean {
  const wanted = renderingOf(prepared, receipt)?.digest;
  return receipt.rendering !== wanted && ledger.targets.get(`${receipt.environment}/${receipt.target}`)?.rendering === wanted;
}

function renderingOf(prepared: PreparedEnvironment, receipt: Receipt): TargetRendering | undefined {
  return prepared.rendered.rendering.targets.find((item) => item.target.name === receipt.target);
}
