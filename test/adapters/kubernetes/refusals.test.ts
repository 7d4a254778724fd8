import { describe, expect, test } from 'vitest';

import type { ApiAnswer } from '#adapters/kubernetes/api.ts';
import { fieldConflicts, isImmutable, isOutdated, isPassing, serverWords, writeRefusal } from '#adapters/kubernetes/refusals.ts';
import type { JsonObject } from '#model/json.ts';

const key = { group: 'apps', kind: 'Deployment', namespace: 'acme', name: 'web' };
const secret = { group: '', kind: 'Secret', namespace: 'acme', name: 's' };

function answer(status: number, message: string, causes: readonly JsonObject[] = []): ApiAnswer {
  return { status, body: { kind: 'Status', message, details: { causes } }, warnings: [] };
}

const CONFLICT = answer(409, 'Apply failed with 2 conflicts', [
  { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-edit" using apps/v1', field: '.spec.replicas' },
  { reason: 'FieldManagerConflict', message: 'conflict with "hpa" with subresource "scale"', field: '.spec.paused' },
]);
const IMMUTABLE = answer(422, 'Deployment.apps "web" is invalid: spec.selector: Invalid value: {}: field is immutable', [
  { reason: 'FieldValueInvalid', message: 'Invalid value: {}: field is immutable', field: 'spec.selector' },
]);

describe('what a server refuses', () => {
  const cases: readonly (readonly [string, ApiAnswer, string, RegExp])[] = [
    ['a field of others', CONFLICT, 'field-conflict', /"kubectl-edit" holds \.spec\.replicas; "hpa" holds \.spec\.paused/],
    ['an immutable field', IMMUTABLE, 'immutable-field', /cannot be changed in place \(spec\.selector\)/],
    [
      'what may not be changed of a StatefulSet',
      answer(
        422,
        `StatefulSet.apps "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden`,
      ),
      'immutable-field',
      /a field/,
    ],
    [
      'an invalid object',
      answer(422, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'),
      'object-rejected',
      /must be greater/,
    ],
    [
      'an unknown field',
      answer(500, 'failed to create typed patch object (acme/web): .spec.x: field not declared in schema'),
      'object-rejected',
      /not declared/,
    ],
    ['too much', answer(413, 'Request entity too large: limit is 3145728'), 'object-rejected', /too large/],
    [
      'a user without rights',
      answer(403, 'deployments.apps "web" is forbidden: User "x" cannot patch resource'),
      'not-permitted',
      /User "x" cannot patch/,
    ],
    [
      'an admission webhook',
      answer(400, 'admission webhook "policy.example.com" denied the request: no latest'),
      'admission-denied',
      /no latest/,
    ],
    [
      'an admission policy',
      answer(422, `ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`),
      'admission-denied',
      /denied request: no/,
    ],
    ['a webhook by 403', answer(403, 'admission webhook "w" denied the request: no'), 'admission-denied', /denied the request/],
    ['a namespace that is not there', answer(404, 'namespaces "acme" not found'), 'place-missing', /namespaces "acme" not found/],
    [
      'a webhook that is away',
      answer(500, 'Internal error occurred: failed calling webhook "w"'),
      'target-write-failed',
      /failed calling webhook/,
    ],
    [
      'a namespace on its way out',
      answer(403, 'configmaps "a" is forbidden: unable to create new content in namespace acme because it is being terminated'),
      'target-write-failed',
      /being terminated/,
    ],
    ['nothing in words', { status: 502, body: {}, warnings: [] }, 'target-write-failed', /HTTP 502/],
  ];

  test.each(cases)('row 86: %s has a name', (_, refusal, code, words) => {
    const problem = writeRefusal(key, refusal);

    expect(problem.code).toBe(code);
    expect(problem.message).toMatch(words);
    expect(problem.message).toContain('apps/Deployment/acme/web');
  });

  test('row 89: is told apart by whether another try may help, and why', () => {
    expect([CONFLICT, IMMUTABLE, answer(409, 'the object has been modified')].map(isOutdated)).toEqual([false, false, true]);
    expect([CONFLICT, IMMUTABLE].map(isImmutable)).toEqual([false, true]);
    expect([answer(503, ''), answer(429, ''), answer(400, '')].map(isPassing)).toEqual([true, true, false]);
    expect(fieldConflicts(CONFLICT)).toEqual([
      { manager: 'kubectl-edit', field: '.spec.replicas' },
      { manager: 'hpa', field: '.spec.paused' },
    ]);
  });

  test('is told in bounded words that a terminal can print', () => {
    const words = serverWords(answer(400, `\u001B[31mred\u202E ${'x'.repeat(5000)}`));

    expect(words).toMatch(/^\\u001b\[31mred\\u202e x+…$/);
    expect(words.length).toBeLessThan(700);
  });

  test('row 103: never tells values of a Secret, whoever quotes them', () => {
    const object = { stringData: { password: 'canary-value' }, data: { key: 'b3RoZXItY2FuYXJ5' } };
    const refusals = [
      answer(422, 'Secret "s" is invalid: data[password]: Invalid value: "anything": too weak'),
      answer(400, 'admission webhook "w" denied the request: canary-value is weak, and so is other-canary'),
      answer(400, 'admission webhook "w" denied the request: Y2FuYXJ5LXZhbHVl or b3RoZXItY2FuYXJ5'),
    ];

    const told = refusals.map((refusal) => writeRefusal(secret, refusal, object).message);

    expect(told).toEqual([
      'core/Secret/acme/s was rejected by the server: Secret "s" is invalid: data[password]: Invalid value: [secret]: too weak',
      `core/Secret/acme/s was refused by the cluster's admission: admission webhook "w" denied the request: [secret] is weak, and so is [secret]`,
      `core/Secret/acme/s was refused by the cluster's admission: admission webhook "w" denied the request: [secret] or [secret]`,
    ]);
  });

  test('is told at the field that it names, as far as the object has it', () => {
    const web = { name: 'web', image: '', ports: [{ containerPort: 80, protocol: 'TCP' }] };
    const object = { metadata: { annotations: { 'a.b/c': 'x' } }, spec: { replicas: -1, x: 1, containers: [{ name: 'side' }, web] } };
    const fields: readonly (readonly [string, string | undefined])[] = [
      ['spec.replicas', '/spec/replicas'],
      ['.spec.replicas', '/spec/replicas'],
      ['spec.containers[1].image', '/spec/containers/1/image'],
      ['.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].protocol', '/spec/containers/1/ports/0/protocol'],
      ['metadata.annotations[a.b/c]', '/metadata/annotations/a.b~1c'],
      ['.metadata.annotations.a.b/c', '/metadata/annotations/a.b~1c'],
      ['spec.containers[1].resources.limits', '/spec/containers/1'],
      ['', undefined],
    ];

    expect(fields.map(([field]) => writeRefusal(key, answer(422, 'no', [{ field }]), object).place.pointer)).toEqual(
      fields.map(([, pointer]) => pointer),
    );
    const misshapen = answer(500, 'failed to create typed patch object (acme/web): .spec.x: field not declared in schema');
    expect(writeRefusal(key, misshapen, object).place.pointer).toBe('/spec/x');
    expect(writeRefusal(key, answer(400, 'strict decoding error: unknown field "spec.x"'), object).place.pointer).toBe('/spec/x');
  });
});
