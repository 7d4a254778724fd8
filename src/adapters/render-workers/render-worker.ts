import { parentPort, workerData } from 'node:worker_threads';

import { renderLimitProblem } from '#model/render-limit.ts';
import type { RenderUnit, UnitResult } from '#model/rendering.ts';
import { refused } from '#model/result.ts';
import type { PreparedCapsule } from '#render/render.ts';
import { prepareCapsule, renderPrepared } from '#render/render.ts';
import type { FromWorker, ToWorker, WorkerLimits } from './messages.ts';

interface Known {
  readonly capsule: RenderUnit['capsule'];
  readonly prepared: PreparedCapsule;
}

/** The thread in which people's templates, schemas and expressions run. It has no clock, no files and no network of its own to offer them. */
function work(port: NonNullable<typeof parentPort>, limits: WorkerLimits): void {
  const known = new Map<string, Known>();
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'capsule':
        known.set(message.id, { capsule: message.capsule, prepared: prepareCapsule(message.capsule) });
        return;
      case 'forget':
        known.delete(message.id);
        return;
      case 'batch': {
        const results = message.units.map(({ capsule, unit }) => renderKnown(known.get(capsule), unit, limits));
        port.postMessage({ kind: 'results', results } satisfies FromWorker);
      }
    }
  });
  port.postMessage({ kind: 'ready' } satisfies FromWorker);
}

function renderKnown(known: Known | undefined, unit: Omit<RenderUnit, 'capsule'>, limits: WorkerLimits): UnitResult {
  if (known === undefined) throw new Error(`a batch names a capsule this worker was not given: ${unit.pin.capsule}`);
  const result = renderPrepared({ ...unit, capsule: known.capsule }, known.prepared);
  const made = result.ok ? result.value : result.made;
  const characters = made?.objects.reduce((sum, object) => sum + object.text.length, 0) ?? 0;
  if (characters <= limits.outputCharacters) return result;
  if (!result.ok) return refused(result.problems);
  return refused([
    renderLimitProblem(unit, known.capsule.directory, `gives ${characters} characters; the limit is ${limits.outputCharacters}`),
  ]);
}

if (parentPort !== null) work(parentPort, workerData as WorkerLimits);
