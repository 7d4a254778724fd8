import { describe, expect, test } from 'vitest';

import { capsule, environment, problemsOf, shown } from '#test/desired/declarations.ts';

function placed(requires: string, facts: string): readonly string[] {
  return shown(
    problemsOf({
      'capsules/web/capsule.yaml': capsule(
        'web',
        '1.0.0',
        `components:\n  web:\n    kind: Deployment\n    image: a\n    placement: { requires: ${requires} }`,
      ),
      'environments/dev/environment.yaml': environment(
        'dev',
        `targets: { one: { driver: directory, path: x, facts: ${facts} } }\ncapsules: { web: { version: ^1.0.0 } }`,
      ),
    }),
  );
}

test('V-52: what is needed is not what the target declares', () => {
  expect(placed('{ arch: [arm64] }', '{ arch: [amd64] }')).toEqual([
    'V-52 error environments/dev/environment.yaml:7 web needs arch "arm64"; target dev/one has "amd64"',
  ]);
});

test.each([
  ['one of a list', '{ arch: [amd64, arm64] }', '{ arch: [amd64] }'],
  ['a fact that is not declared', '{ gpu: true }', '{ arch: [amd64] }'],
])('V-52 near miss: %s is enough', (_, requires, facts) => {
  expect(placed(requires, facts)).toEqual([]);
});

function running(version: string, driver = 'kubernetes'): readonly string[] {
  return shown(
    problemsOf({
      'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'compatibility: { kubernetes: ">=1.29 <1.37" }'),
      'environments/dev/environment.yaml': environment(
        'dev',
        `targets: { one: { driver: ${driver}, ${driver === 'kubernetes' ? 'credentials' : 'path'}: x, facts: { kubernetes: "${version}" } } }\ncapsules: { web: { version: ^1.0.0 } }`,
      ),
    }),
  );
}

test('V-53: a Kubernetes that is too old', () => {
  expect(running('v1.28.9-gke.1200')).toEqual([
    'V-53 error environments/dev/environment.yaml:7 web supports Kubernetes ">=1.29 <1.37"; target dev/one runs "v1.28.9-gke.1200"',
  ]);
});

test.each([
  ['1.29', 'kubernetes'],
  ['v1.36.9+k3s1', 'kubernetes'],
  ['1.2', 'directory'],
])('V-53: %s on %s is fine', (version, driver) => {
  expect(running(version, driver)).toEqual([]);
});

describe('V-50', () => {
  function graph(devRisk: string, prod: string, prodRisk: string): readonly string[] {
    return shown(
      problemsOf({
        'environments/dev/environment.yaml': environment('dev', '', devRisk),
        'environments/prod/environment.yaml': environment('prod', `promotion: { from: { environments: [dev] }${prod} }`, prodRisk),
      }),
    );
  }

  test('a risky environment without soak, and one behind a riskier one', () => {
    expect(graph('low', '', 'high')).toEqual([
      'V-50 warning environments/prod/environment.yaml:11 prod (high) has no soak; add promotion.soak',
    ]);
    expect(graph('low', ', soak: 0s', 'critical')).toHaveLength(1);
    expect(graph('medium', '', 'low')).toEqual([
      'V-50 warning environments/prod/environment.yaml:11 prod (low) promotes from dev (medium), which is riskier',
    ]);
  });

  test('a soak, equal risks, and a risky entry are fine', () => {
    expect(graph('high', ', soak: 1h', 'high')).toEqual([]);
    expect(graph('medium', '', 'medium')).toEqual([]);
  });
});

describe('V-14', () => {
  function changelog(text: string): readonly string[] {
    return shown(problemsOf({ 'capsules/web/capsule.yaml': capsule('web', '1.2.3'), 'capsules/web/CHANGELOG.md': text }));
  }

  test.each(['# Web\n\n## 1.2.2\n', '## 1.2.30\n', 'about 1.2.3\n', ''])('warns where there is no section: %j', (text) => {
    expect(changelog(text)).toEqual(['V-14 warning capsules/web/CHANGELOG.md: CHANGELOG.md has no section for 1.2.3']);
  });

  test.each(['## 1.2.3\n', '# Web\r\n## [1.2.3] - 2026-01-05\r\n', '## v1.2.3\n'])('knows %j', (text) => {
    expect(changelog(text)).toEqual([]);
  });
});
