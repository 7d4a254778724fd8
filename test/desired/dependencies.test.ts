import { expect, test } from 'vitest';

import { capsule, environment, ofRule, problemsOf, shown } from '#test/desired/declarations.ts';

const REDIS = {
  'capsules/redis/capsule.yaml': capsule('redis', '7.2.5', 'provides:\n  redis:\n    protocol: redis\n    outputs:\n      url: redis://x'),
};

function web(spec: string, files: Readonly<Record<string, string>> = {}) {
  return problemsOf({ 'capsules/web/capsule.yaml': capsule('web', '1.0.0', spec), ...REDIS, ...files });
}

test('V-15: a dependency names exactly one of capsule, type and service', () => {
  expect(shown(web('dependencies:\n  a: {}\n  b:\n    capsule: redis\n    service: llm\n    version: ^7.0.0'))).toEqual([
    'V-15 error capsules/web/capsule.yaml:9 dependency "a" must name exactly one of capsule, type or service',
    'V-15 error capsules/web/capsule.yaml:10 dependency "b" must name exactly one of capsule, type or service',
  ]);
});

test('V-15: one of each kind is fine', () => {
  expect(shown(web('dependencies:\n  a:\n    capsule: redis\n    version: ^7.0.0\n  b:\n    service: llm'))).toEqual([]);
});

test('V-16: a range that does not parse is invalid everywhere', () => {
  expect(ofRule(web('dependencies:\n  cache:\n    capsule: redis\n    version: latest'), 'V-16')).toEqual([
    'V-16 error capsules/web/capsule.yaml:11 dependency "cache" range "latest" is invalid',
  ]);
});

test('V-16: a range without an upper end is refused where the risk is medium, each alternative counted', () => {
  const files = {
    'environments/prod/environment.yaml': environment('prod', 'capsules:\n  web:\n    version: ">=1.0.0"', 'medium'),
  };
  expect(ofRule(web('dependencies:\n  cache:\n    capsule: redis\n    version: ^7.0.0 || >=9.0.0', files), 'V-16')).toEqual([
    'V-16 error capsules/web/capsule.yaml:11 dependency "cache" range "^7.0.0 || >=9.0.0" is unbounded; prod has risk medium',
    'V-16 error environments/prod/environment.yaml:13 capsule "web" range ">=1.0.0" is unbounded; prod has risk medium',
  ]);
});

test('V-16: an open range is fine where the risk is low, and a bounded one anywhere', () => {
  const open = 'dependencies:\n  cache:\n    capsule: redis\n    version: ">=7.0.0"';
  expect(
    shown(web(open, { 'environments/dev/environment.yaml': environment('dev', 'capsules:\n  web:\n    version: ">=1.0.0"') })),
  ).toEqual([]);
  const bounded = 'dependencies:\n  cache:\n    capsule: redis\n    version: ">=7.0.0 <8.0.0"';
  expect(
    shown(web(bounded, { 'environments/prod/environment.yaml': environment('prod', 'capsules:\n  web:\n    version: ^1.0.0', 'high') })),
  ).toEqual([]);
});

test('V-17: an unknown capsule is named with its neighbour', () => {
  const files = { 'environments/dev/environment.yaml': environment('dev', 'capsules:\n  wbe:\n    version: ^1.0.0') };
  expect(ofRule(web('dependencies:\n  cache:\n    capsule: rediss\n    version: ^7.0.0', files), 'V-17')).toEqual([
    'V-17 error capsules/web/capsule.yaml:10 web depends on "rediss", which is not in capsules/ nor in imports; did you mean "redis"?',
    'V-17 error environments/dev/environment.yaml:12 dev depends on "wbe", which is not in capsules/ nor in imports; did you mean "web"?',
  ]);
});

test('V-17: imported, released and broken capsules are not unknown', () => {
  const imported = `imports:\n  far:\n    url: https://example.org/x.git\n    commit: ${'a'.repeat(40)}\n    path: capsules/far\ndependencies:\n  far:\n    capsule: far\n    version: ^1.0.0`;
  expect(ofRule(web(imported), 'V-17')).toEqual([]);
  const old = { 'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'dependencies:\n  old:\n    capsule: old\n    version: ^1.0.0') };
  expect(ofRule(problemsOf(old, { released: new Map([['old', new Map()]]) }), 'V-17')).toEqual([]);
  expect(ofRule(problemsOf({ ...old, 'capsules/old/capsule.yaml': 'kind: [' }), 'V-17')).toEqual([]);
});

test('V-17: an abstract dependency needs a recipe where it is deployed', () => {
  const spec = 'dependencies:\n  cache:\n    type: redis\n    version: ^7.0.0';
  const request = 'capsules:\n  web:\n    version: ^1.0.0';
  const without = { 'environments/dev/environment.yaml': environment('dev', request) };
  expect(ofRule(web(spec, without), 'V-17')).toEqual([
    'V-17 error environments/dev/environment.yaml:5 dev has no recipe for type "redis", which web depends on',
  ]);
  const recipe = {
    'environments/dev/environment.yaml': environment('dev', `${request}\nrecipes:\n  redis:\n    capsule: redis\n    version: ^7.0.0`),
  };
  expect(shown(web(spec, recipe))).toEqual([]);
});

function wired(dependency: string, variable: string): string {
  return `components:\n  app:\n    kind: Deployment\n    image: a\n    env:\n      URL: ${variable}\ndependencies:\n  cache:\n    capsule: redis\n    version: ^7.0.0\n${dependency}`;
}

test('V-18: outputs, protocols and dependencies that are not there', () => {
  expect(ofRule(web(wired('', '{ dependency: cache, output: uri }')), 'V-18')).toEqual([
    'V-18 error capsules/web/capsule.yaml:13 web.env.URL wants output "uri" of dependency "cache" (redis@7.2.5), which provides url; did you mean "url"?',
  ]);
  expect(ofRule(web(wired('', '{ dependency: cahce, output: url }')), 'V-18')).toEqual([
    'V-18 error capsules/web/capsule.yaml:13 web.env.URL uses dependency "cahce", which spec.dependencies does not declare; did you mean "cache"?',
  ]);
  expect(ofRule(web(wired('    requires:\n      protocol: http', '{ value: x }')), 'V-18')).toEqual([
    'V-18 error capsules/web/capsule.yaml:19 web wants protocol "http" of dependency "cache" (redis@7.2.5), which provides redis',
  ]);
});

test('V-18: a declared output of the protocol is fine, and another version is judged when it is resolved', () => {
  expect(shown(web(wired('    requires:\n      protocol: redis', '{ dependency: cache, output: url }')))).toEqual([]);
  const older = wired('', '{ dependency: cache, output: uri }').replace('^7.0.0', '^6.0.0');
  expect(ofRule(web(older), 'V-18')).toEqual([]);
});

function needing(name: string, other: string, optional = false): string {
  return capsule(name, '1.0.0', `dependencies:\n  other:\n    capsule: ${other}\n    version: ^1.0.0\n    optional: ${optional}`);
}

test('V-19: a circle of mandatory dependencies is an error with the whole circle', () => {
  const files = {
    'capsules/a/capsule.yaml': needing('a', 'b'),
    'capsules/b/capsule.yaml': needing('b', 'c'),
    'capsules/c/capsule.yaml': needing('c', 'a'),
  };
  expect(shown(problemsOf(files))).toEqual(['V-19 error capsules/a/capsule.yaml:9 dependency cycle: a → b → c → a']);
});

test('V-19: a circle through an optional dependency is a warning that names the cut', () => {
  const files = { 'capsules/a/capsule.yaml': needing('a', 'b'), 'capsules/b/capsule.yaml': needing('b', 'a', true) };
  expect(shown(problemsOf(files))).toEqual([
    'V-19 warning capsules/b/capsule.yaml:9 dependency cycle: a → b → a; it is cut at the optional dependency of b on a',
  ]);
});

test('V-19: two ways to the same capsule are no circle', () => {
  const both = 'dependencies:\n  b:\n    capsule: b\n    version: ^1.0.0\n  c:\n    capsule: c\n    version: ^1.0.0';
  const files = {
    'capsules/a/capsule.yaml': capsule('a', '1.0.0', both),
    'capsules/b/capsule.yaml': needing('b', 'c'),
    'capsules/c/capsule.yaml': capsule('c', '1.0.0'),
  };
  expect(shown(problemsOf(files))).toEqual([]);
});
