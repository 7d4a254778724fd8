import { expect, test } from 'vitest';

import { assess } from '#health/health.ts';
import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { inventoryOf, observationOf, renderedObject, targetRendering } from '#test/plan/build-target.ts';

const EXPRESSIONS = {
  current: "status.conditions.exists(c, c.type == 'Ready' && c.status == 'True') && status.observedGeneration == 2",
  inProgress: "status.conditions.exists(c, c.type == 'Issuing' && c.status == 'True')",
  failed: 'status.failures > 3',
};
const certificate: RenderedObject = { ...renderedObject('web'), health: EXPRESSIONS };
const rendering = targetRendering([certificate], { web: 0 });

/** State and reason of the certificate when its consumer reports this status of these bytes. */
function judged(status: JsonObject | undefined, sha256 = certificate.sha256): string {
  const reports = status === undefined ? [] : [{ path: certificate.path, state: 'healthy' as const, reason: '', sha256, status }];
  const health = assess(rendering, observationOf(inventoryOf(rendering), [certificate], { reports }));
  return [health.state, ...health.instances.flatMap(({ reasons }) => reasons.map(({ reason }) => reason))].join(': ');
}

test('an object with health expressions is what they say of its status, the worst first', () => {
  const ready = { type: 'Ready', status: 'True' };
  const issuing = { type: 'Issuing', status: 'True', message: 'waits for the authority' };

  expect(judged({ observedGeneration: 2, failures: 0, conditions: [ready] })).toBe('healthy');
  expect(judged({ observedGeneration: 2, failures: 0, conditions: [ready, issuing] })).toBe(
    'progressing: its health expression "inProgress" holds: waits for the authority',
  );
  expect(judged({ observedGeneration: 2, failures: 4, conditions: [ready] })).toBe('degraded: its health expression "failed" holds');
  expect(judged({ observedGeneration: 1, failures: 0, conditions: [ready] })).toBe('progressing: none of its health expressions holds yet');
});

test('what an expression asks for and the status does not have yet holds nothing', () => {
  expect(judged({})).toBe('progressing: none of its health expressions holds yet');
});

test('without a status of exactly these bytes an object with health expressions is on its way', () => {
  expect(judged(undefined)).toBe('progressing: its health expressions wait for its status');
  expect(judged({ observedGeneration: 2, conditions: [] }, sha256Of('before'))).toBe(
    'progressing: its health expressions wait for its status',
  );
});
