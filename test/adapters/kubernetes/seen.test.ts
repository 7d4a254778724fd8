import { expect, test } from 'vitest';

import { changedBy } from '#adapters/kubernetes/changed-by.ts';
import type { SeenObject } from '#adapters/kubernetes/seen-object.ts';
import { distil } from '#adapters/kubernetes/seen.ts';
import type { JsonObject } from '#model/json.ts';
import type { DriftIgnore } from '#model/plan.ts';
import recordings from './recorded.json' with { type: 'json' };

/** What kube-apiserver 1.35.4 answered after `kubectl apply --server-side --field-manager=capstan` and what others did then. */
const RECORDED: ReadonlyMap<string, unknown> = new Map(Object.entries(recordings));
const DEPLOYMENT = { group: 'apps', kind: 'Deployment' };

function recorded(name: string): JsonObject {
  const found = RECORDED.get(name);
  if (found === undefined) throw new Error(`nothing was recorded as ${name}`);
  return JSON.parse(JSON.stringify(found)) as JsonObject;
}

function seen(object: JsonObject, ignore: readonly DriftIgnore[] = [], kind = DEPLOYMENT): SeenObject {
  const found = distil(kind, object, ignore);
  if (found === undefined) throw new Error('not an object');
  return found;
}

function rule(...paths: readonly string[]): readonly DriftIgnore[] {
  return [{ group: 'apps', kind: 'Deployment', name: undefined, paths }];
}

const applied = seen(recorded('applied'));

test('keeps who an object is, when we applied it and what health reads, and nothing else', () => {
  const status = seen(recorded('status'));

  expect(status).toEqual({
    key: { group: 'apps', kind: 'Deployment', namespace: 'default', name: 'greeter' },
    uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    resourceVersion: expect.stringMatching(/^[0-9]+$/),
    owned: applied.owned,
    applied: undefined,
    managers: ['kubectl-patch'],
    writers: [],
    isProtected: false,
    live: {
      uid: status.uid,
      appliedAt: expect.any(Number),
      changedBy: [],
      object: {
        metadata: { generation: 1, creationTimestamp: expect.stringMatching(/^2026-11-21T/) },
        spec: { replicas: 2 },
        status: {
          observedGeneration: 1,
          replicas: 2,
          readyReplicas: 1,
          conditions: [
            {
              type: 'Progressing',
              status: 'True',
              reason: 'ReplicaSetUpdated',
              message: 'rolling',
              lastTransitionTime: '2026-11-21T20:00:00Z',
              lastUpdateTime: '2026-11-21T20:00:00Z',
            },
          ],
        },
      },
    },
  });
});

test.each(['applied-again', 'scaled-and-applied', 'status', 'co-owned', 'filled-where-we-left-it-empty', 'added-to'])(
  'our fields are as we left them: %s',
  (name) => {
    expect(applied.owned).toMatch(/^[0-9a-f]{64}$/);
    expect(seen(recorded(name)).owned).toBe(applied.owned);
  },
);

test.each([
  ['scaled', ['kubectl']],
  ['edited', ['kubectl-edit']],
  ['client-applied', ['kubectl-client-side-apply']],
  ['taken', ['somebody']],
  ['label-removed', []],
])('fields of ours are no longer ours: %s', (name, changedBy) => {
  const { owned, live } = seen(recorded(name));

  expect(owned).not.toBe(applied.owned);
  expect(live.changedBy).toEqual(changedBy);
});

const WANTED: JsonObject = {
  metadata: { name: 'greeter', labels: { 'app.kubernetes.io/instance': 'greeter' } },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [
          {
            name: 'web',
            image: 'registry.example/greeter:1.4.2',
            env: [{ name: 'MODE', value: 'quiet' }],
            ports: [{ containerPort: 8080 }],
          },
        ],
      },
    },
  },
};

test.each([
  ['scaled', ['kubectl']],
  ['edited', ['kubectl-edit']],
  ['client-applied', ['kubectl-client-side-apply']],
  ['taken', ['somebody']],
  ['added-to', []],
  ['label-removed', []],
])('of what git wants somebody holds a field: %s', (name, who) => {
  expect(changedBy(seen(recorded(name)), WANTED)).toEqual(who);
});

test('a value that changed under our name is seen', () => {
  const object = JSON.parse(JSON.stringify(recorded('applied')).replace('greeter:1.4.2', 'greeter:1.4.3')) as JsonObject;

  expect(seen(object).owned).not.toBe(applied.owned);
});

test('what git says others may set is neither theirs nor ours to count', () => {
  const ignore = rule('/spec/replicas');

  expect(seen(recorded('scaled'), ignore).owned).toBe(seen(recorded('applied'), ignore).owned);
  expect(seen(recorded('applied'), ignore).owned).not.toBe(applied.owned);
  expect(seen(recorded('edited'), ignore).owned).not.toBe(seen(recorded('applied'), ignore).owned);
});

test.each(['0', 'name=web', '*'])('an item of a list in an ignored path is named by %s', (item) => {
  const ignore = rule(`/spec/template/spec/containers/${item}/image`);

  expect(seen(recorded('edited'), ignore).owned).toBe(seen(recorded('applied'), ignore).owned);
  expect(seen(recorded('client-applied'), ignore).owned).not.toBe(seen(recorded('applied'), ignore).owned);
});

test('an ignored path may lead into a value that is ours as a whole', () => {
  const ignore = rule('/spec/template/spec/containers/name=web/args/0');
  const other = JSON.parse(JSON.stringify(recorded('applied')).replace('--port=8080', '--port=9090')) as JsonObject;

  expect(seen(other).owned).not.toBe(applied.owned);
  expect(seen(other, ignore).owned).toBe(seen(recorded('applied'), ignore).owned);
});

test.each<[string, DriftIgnore]>([
  ['group', { group: 'batch', kind: undefined, name: undefined, paths: ['/spec'] }],
  ['kind', { group: undefined, kind: 'StatefulSet', name: undefined, paths: ['/spec'] }],
  ['name', { group: undefined, kind: undefined, name: 'other', paths: ['/spec'] }],
])('a rule for another %s leaves nothing out', (_, other) => {
  expect(seen(recorded('applied'), [other]).owned).toBe(applied.owned);
});

test('row 103: keeps no value of a Secret', () => {
  const secret = seen(recorded('secret-password'), [], { group: '', kind: 'Secret' });

  expect(secret.owned).toMatch(/^[0-9a-f]{64}$/);
  expect(secret.live.object).toEqual({ metadata: { creationTimestamp: expect.any(String) } });
  expect(JSON.stringify(secret)).not.toMatch(/correct-horse|Y29ycmVjd/);
});

test('items of sets and of lists with several keys are found', () => {
  const service = { group: '', kind: 'Service' };
  const before = seen(recorded('service-greeter'), [], service);
  const text = JSON.stringify(recorded('service-greeter'));
  const otherPort = JSON.parse(text.replace('"port":80,', '"port":80,"appProtocol":"x",')) as JsonObject;
  const noFinalizer = JSON.parse(text.replace('"finalizers":["example.com/hold"]', '"finalizers":[]')) as JsonObject;
  const otherTarget = JSON.parse(text.replace('"targetPort":"http"', '"targetPort":"https"')) as JsonObject;

  expect(seen(otherPort, [], service).owned).toBe(before.owned);
  expect(seen(noFinalizer, [], service).owned).not.toBe(before.owned);
  expect(seen(otherTarget, [], service).owned).not.toBe(before.owned);
});

test('what we noted on an object counts only while the note is ours', () => {
  const settings = { group: '', kind: 'ConfigMap' };
  const text = JSON.stringify(recorded('configmap-settings'));
  const theirs = JSON.parse(text.replace('"f:capstan.dev/applied":{}', '')) as JsonObject;

  expect(seen(recorded('configmap-settings'), [], settings).applied).toBe('default/0000');
  expect(seen(theirs, [], settings).applied).toBeUndefined();
});

test('tells what is protected from removal and what is being removed', () => {
  expect(seen(recorded('added-to')).isProtected).toBe(true);
  expect(applied.isProtected).toBe(false);
  expect(seen(recorded('terminating')).live.object['metadata']).toMatchObject({ deletionTimestamp: expect.any(String) });
});
