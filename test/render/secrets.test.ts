import { describe, expect, it } from 'vitest';

import { valueAt } from '#model/json.ts';
import type { SecretSource } from '#model/rendering.ts';
import { problems, render } from '#test/render/builders.ts';

const ONE = (secret: string, variable: string): string =>
  `components: { web: { kind: Deployment, image: x, env: { T: ${variable} } } }\nsecrets: { token: ${secret} }`;

function reference(yaml: string, source?: SecretSource): unknown {
  const { objects } = render(yaml, source === undefined ? {} : { wishes: { secrets: { token: source } } });
  const deployment = objects.find(({ object }) => object.kind === 'Deployment');
  return valueAt(deployment?.object, '/spec/template/spec/containers/0/env/0/valueFrom/secretKeyRef');
}

describe('a variable from a secret', () => {
  it('names the Secret of the instance where the environment says nothing', () => {
    expect(reference(ONE('{ keys: [value] }', '{ secret: token }'))).toEqual({ key: 'value', name: 'web-token' });
    expect(reference(ONE('{}', '{ secret: token }'))).toEqual({ key: 'token', name: 'web-token' });
    expect(reference(ONE('{ keys: [a, b] }', '{ secret: token, key: b }'))).toEqual({ key: 'b', name: 'web-token' });
  });

  it('names the existing Secret that the environment names, and its key', () => {
    expect(reference(ONE('{ keys: [value] }', '{ secret: token }'), { provider: 'kubernetes', name: 'all', key: 'k' })).toEqual({
      key: 'k',
      name: 'all',
    });
    expect(reference(ONE('{ keys: [a, b] }', '{ secret: token, key: b }'), { provider: 'kubernetes', name: 'all' })).toEqual({
      key: 'b',
      name: 'all',
    });
  });

  it('may be absent where the secret is not required', () => {
    expect(reference(ONE('{ required: false }', '{ secret: token }'))).toEqual({ key: 'token', name: 'web-token', optional: true });
    expect(reference(ONE('{ required: true }', '{ secret: token }'))).toEqual({ key: 'token', name: 'web-token' });
  });
});

describe('a source of a secret', () => {
  const found = (secret: string, source: SecretSource): readonly string[] =>
    problems(ONE(secret, '{ secret: token, key: a }'), { wishes: { secrets: { token: source } } });

  it.each<[SecretSource, string]>([
    [{ provider: 'external-secrets', path: 'kv/x' }, 'has no store'],
    [{ provider: 'external-secrets', store: 'vault' }, 'has no path'],
    [{ provider: 'external-secrets', store: 'vault', path: 'kv/x', key: 'k' }, 'names the one key "k", but the capsule needs a, b'],
    [{ provider: 'kubernetes', name: 'x', key: 'k' }, 'names the one key "k", but the capsule needs a, b'],
  ])('must be complete: %o', (source, what) => {
    expect(found('{ keys: [b, a] }', source)).toEqual([`secret-source-incomplete - the source of secret web/token in prod ${what}`]);
  });

  it('is enough with store and path, and with one key for one key', () => {
    expect(found('{ keys: [a, b] }', { provider: 'external-secrets', store: 'vault', path: 'kv/x' })).toEqual([]);
    expect(found('{ keys: [a] }', { provider: 'external-secrets', store: 'vault', path: 'kv/x', key: 'k' })).toEqual([]);
  });

  it('of a secret that the capsule does not declare renders nothing', () => {
    const { objects } = render(ONE('{}', '{ value: x }'), {
      wishes: { secrets: { other: { provider: 'external-secrets', store: 's', path: 'p' } } },
    });

    expect(objects.map(({ object }) => object.kind)).toEqual(['Deployment']);
  });
});
