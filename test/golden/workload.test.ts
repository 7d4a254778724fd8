import { describe, expect, it } from 'vitest';

import { toInstanceName } from '#model/names.ts';
import { capsule, golden, rendered } from '#test/golden/golden.ts';

describe('golden renderings of what a component can declare', () => {
  it('secrets of an existing Secret and of external stores, patches of the capsule and of the environment', () => {
    const api = capsule('render-secrets-and-patches', 'api', {
      wishes: {
        secrets: {
          token: { provider: 'external-secrets', store: 'vault-prod', path: 'kv/api', key: 'api-token' },
          database: { provider: 'external-secrets', store: 'cluster:vault', path: 'kv/api/db' },
          shared: { provider: 'kubernetes', name: 'company-wide', key: 'one' },
        },
        patches: [
          { target: { kind: 'Service' }, ops: [{ op: 'add', path: '/spec/sessionAffinity', value: 'ClientIP' }] },
          { target: { kind: 'Deployment' }, ops: [{ op: 'remove', path: '/spec/template/spec/hostAliases/0/hostnames' }] },
        ],
      },
    });

    const { actual, expected } = golden('render-secrets-and-patches', rendered([api]));
    expect(actual).toEqual(expected);
  });

  it('start order, hooks and migrations as Jobs, network policies from the dependency graph', () => {
    const store = capsule('render-order', 'store', {
      dependencies: { queue: { instance: 'nats', outputs: { url: 'nats://nats.acme-prod.svc:4222' } } },
      wishes: { dependents: [toInstanceName('billing'), toInstanceName('web-shop')] },
    });

    const { actual, expected } = golden('render-order', rendered([store]));
    expect(actual).toEqual(expected);
  });

  it('monitors, alerts, objectives as burn-rate rules, dashboards and feature flags', () => {
    const { actual, expected } = golden('render-monitoring', rendered([capsule('render-monitoring', 'api', {})]));
    expect(actual).toEqual(expected);
  });

  it('scaling in every direction, snapshots before upgrades, and a mesh', () => {
    const shop = capsule('render-scaling', 'shop', { target: { facts: { kubernetes: '1.34', mesh: 'istio' } } });

    const { actual, expected } = golden('render-scaling', rendered([shop]));
    expect(actual).toEqual(expected);
  });
});
