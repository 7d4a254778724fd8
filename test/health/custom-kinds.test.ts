import { describe, expect, test } from 'vitest';

import type { Recorded } from './build-live.ts';
import { instant, judged, renderedKind } from './build-live.ts';
import { APPLICATIONS, FLUX, ROLLOUTS, SERVING } from './recorded-deliveries.ts';
import { CERTIFICATES, CROSSPLANE, EXTERNAL_SECRETS, GATEWAYS, OTHERS } from './recorded-platforms.ts';

describe.each<[string, readonly Recorded[]]>([
  ['cert-manager', CERTIFICATES],
  ['External Secrets', EXTERNAL_SECRETS],
  ['Argo Rollouts', ROLLOUTS],
  ['Flux', FLUX],
  ['Argo CD and Argo Workflows', APPLICATIONS],
  ['Knative and KServe', SERVING],
  ['Gateway API', GATEWAYS],
  ['Crossplane', CROSSPLANE],
  ['KEDA and Cluster API', OTHERS],
])('what %s wrote is understood', (_, recorded) => {
  test('in every state there is', () => {
    const states = new Set(recorded.map(({ said }) => said.split(':')[0]));

    expect(states).toEqual(new Set(['healthy', 'progressing', 'degraded']));
  });

  test.each(recorded.map((one): [string, Recorded] => [`${one.kind}, ${one.source}`, one]))('%s', (_source, one) => {
    expect(judged(one)).toBe(one.said);
  });
});

test('what a capsule says of its own object goes before the table', () => {
  const kind = 'cert-manager.io/v1 Certificate';
  const object = { ...renderedKind(kind), health: { current: 'status.renewals == 2', failed: 'status.renewals > 2' } };

  expect(judged({ kind, status: { renewals: 2 } }, undefined, object)).toBe('healthy');
  expect(judged({ kind, status: { renewals: 3 } }, undefined, object)).toBe('degraded: its health expression "failed" holds');
  expect(judged({ kind, status: { renewals: 2, observedGeneration: 0 } }, undefined, object)).toBe(
    'progressing: its controller has not seen the last change',
  );
  expect(judged({ kind }, undefined, object)).toBe('progressing: its health expressions wait for its status');
});

test('an expression may ask for what only the cluster knows of the object', () => {
  const kind = 'example.com/v1 Gadget';
  const object = { ...renderedKind(kind), health: { current: 'metadata.generation == 4 && metadata.name == "web" && status.seen == 4' } };

  expect(judged({ kind, metadata: { generation: 4 }, status: { seen: 4 } }, undefined, object)).toBe('healthy');
});

test('an Application of which Argo CD has not seen our change says nothing yet', () => {
  const status = { health: { status: 'Healthy' }, sync: { status: 'Synced' }, reconciledAt: '2026-11-21T20:00:00Z' };
  const kind = 'argoproj.io/v1alpha1 Application';

  expect(judged({ kind, status, appliedAt: instant('2026-11-21T20:00:05Z') })).toBe(
    'progressing: its controller has not seen the last change',
  );
  expect(judged({ kind, status, appliedAt: instant('2026-11-21T19:59:59Z') })).toBe('healthy');
});
