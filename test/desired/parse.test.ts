import { expect, test } from 'vitest';

import { isDeclarationPath, parseDeclaration } from '#desired/desired.ts';
import { toBlobId } from '#model/digest.ts';
import { capsule, environment, ofRule, problemsOf, shown } from '#test/desired/declarations.ts';

function problemsOfFile(path: string, text: string | Uint8Array) {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return parseDeclaration({ path, id: toBlobId('0'.repeat(40)), bytes }).problems;
}

const CAPSULE = 'capsules/web/capsule.yaml';

test('declarations are known by their path', () => {
  const declared = [
    'environments/project.yaml',
    'environments/dev/environment.yaml',
    'environments/dev/environment.lock.yml',
    'environments/dev/targets/a.yaml',
    'environments/dev/config/web.yaml',
    'environments/dev/fleets/a.yaml',
    'environments/dev/devices/a.yaml',
    'policies/a.yaml',
    'capsules/web/capsule.yaml',
  ];
  const others = [
    'capsules/web/templates/a.yaml',
    'capsules/web/x/capsule.yaml',
    'policies/deep/a.yaml',
    'environments/a.yaml',
    'README.md',
  ];
  expect([...declared, ...others].filter(isDeclarationPath)).toEqual(declared);
});

test('a value of another shape is told which, once, and the remedy is an instruction', () => {
  const text = environment('dev', 'sync:\n  interval: 1 m\n');
  expect(problemsOfFile('environments/dev/environment.yaml', text)).toMatchObject([
    {
      message: '/spec/sync/interval cannot be "1 m": it must be a duration such as 30s, 10m or 1h30m',
      remedy: 'Write a duration such as 30s, 10m or 1h30m.',
    },
  ]);
});

test('V-01: every forbidden feature of a file at its place, all at once', () => {
  const text = 'a: &x 1\nb: *x\nc: !!str 1\nd: 1\n"d": 2\n<<: {}\n';
  expect(shown(problemsOfFile(CAPSULE, text))).toEqual([
    `V-01 error ${CAPSULE}:1 ${CAPSULE}: YAML uses an anchor (&x), which is not allowed in declarations`,
    `V-01 error ${CAPSULE}:2 ${CAPSULE}: YAML uses an alias (*x), which is not allowed in declarations`,
    `V-01 error ${CAPSULE}:3 ${CAPSULE}: YAML uses a tag (!!str), which is not allowed in declarations`,
    `V-01 error ${CAPSULE}:5 ${CAPSULE}: YAML uses the key "d" twice (lines 4 and 5), which is not allowed in declarations`,
    `V-01 error ${CAPSULE}:6 ${CAPSULE}: YAML uses a merge key (<<), which is not allowed in declarations`,
  ]);
});

test('V-01: a byte order mark, CRLF and a leading --- are fine; ampersands inside texts are texts', () => {
  const text = `\ufeff---\r\n${capsule('web', '1.0.0', 'owner: "a & *b !c"\nsystem: |\n  &x *y\n  <<: no').replaceAll('\n', '\r\n')}`;
  expect(shown(problemsOfFile(CAPSULE, text))).toEqual([]);
});

test('V-03: the directory is named like the capsule or environment', () => {
  const files = {
    'capsules/shop/capsule.yaml': capsule('web', '1.0.0'),
    'environments/dev/environment.yaml': environment('staging', ''),
    'environments/dev/environment.lock.yaml':
      'apiVersion: capstan.dev/v1alpha1\nkind: EnvironmentLock\nmetadata:\n  environment: prod\ncapsules: {}\nholds: {}\n',
  };
  expect(ofRule(problemsOf(files), 'V-03')).toEqual([
    'V-03 error capsules/shop/capsule.yaml:4 capsule directory "shop" must be named like metadata.name "web"',
    'V-03 error environments/dev/environment.yaml:4 environment directory "dev" must be named like metadata.name "staging"',
    'V-03 error environments/dev/environment.lock.yaml:4 environment directory "dev" must be named like metadata.environment "prod"',
  ]);
});

test('V-03: the file name of a policy, fleet or device is free', () => {
  const device = 'apiVersion: capstan.dev/v1alpha1\nkind: Device\nmetadata:\n  name: kiosk-1\nspec:\n  state: active\n';
  expect(
    shown(problemsOf({ 'environments/dev/environment.yaml': environment('dev', ''), 'environments/dev/devices/first.yaml': device })),
  ).toEqual([]);
});

test('V-04: what is declared twice names both files', () => {
  const policy =
    'apiVersion: capstan.dev/v1alpha1\nkind: Policy\nmetadata:\n  name: pods\nspec:\n  on:\n    - render\n  validations:\n    - expression: "true"\n';
  const files = {
    'policies/a.yaml': policy,
    'policies/b.yaml': policy,
    'environments/dev/environment.yaml': environment('dev', ''),
    'environments/dev/targets/local.yaml': 'driver: directory\npath: twice\n',
  };
  expect(ofRule(problemsOf(files), 'V-04')).toEqual([
    'V-04 error policies/b.yaml:1 policy "pods" is declared twice: policies/a.yaml and policies/b.yaml',
    'V-04 error environments/dev/targets/local.yaml:1 target "local" is declared twice: environments/dev/environment.yaml and environments/dev/targets/local.yaml',
  ]);
});

test('V-04: the same device name in two environments is fine', () => {
  const device = 'apiVersion: capstan.dev/v1alpha1\nkind: Device\nmetadata:\n  name: kiosk-1\nspec:\n  state: active\n';
  const files = {
    'environments/a/environment.yaml': environment('a', ''),
    'environments/b/environment.yaml': environment('b', ''),
    'environments/a/devices/k.yaml': device,
    'environments/b/devices/k.yaml': device,
  };
  expect(shown(problemsOf(files))).toEqual([]);
});

test('V-05: a version is plain SemVer', () => {
  const bad = ['v1.2.3', '"1.2.3+build"', '"1.2"', '01.2.3', '1.2.3-', '" 1.2.3"', '"1.2.3\\n"', '１.2.3'];
  expect(bad.map((version) => ofRule(problemsOfFile(CAPSULE, capsule('web', version)), 'V-05').length)).toEqual(bad.map(() => 1));
  expect(ofRule(problemsOfFile(CAPSULE, capsule('web', '1.2.3+build.7')), 'V-05')).toEqual([
    `V-05 error ${CAPSULE}:5 version "1.2.3+build.7" must be SemVer without build metadata (build metadata does not order versions)`,
  ]);
});

test('V-05: releases and prereleases are fine', () => {
  for (const version of ['0.0.0', '1.4.2', '1.0.0-rc.1', '1.0.0-alpha-1.x'])
    expect(problemsOfFile(CAPSULE, capsule('web', version))).toEqual([]);
});

test('an unquoted numeric version is an error that quotes what was written', () => {
  expect(shown(problemsOfFile(CAPSULE, capsule('web', '1.10')))).toEqual([
    `unquoted-text error ${CAPSULE}:5 /metadata/version must be a text; 1.10 without quotes is a number`,
  ]);
});

test('mistakes against the schema come out together, each once, with its place and a suggestion', () => {
  const spec =
    'ownr: me\ncomponents:\n  web:\n    kind: Deploymnet\n    scaling:\n      replicas: two\n    env:\n      A:\n        value: x\n        config: y\n    stop:\n      preStop: null\nx-note: free';
  expect(shown(problemsOfFile(CAPSULE, capsule('web', '1.0.0', spec)))).toEqual([
    `unknown-field error ${CAPSULE}:8 unknown field "ownr" in /spec; did you mean "owner"?`,
    `value-not-allowed error ${CAPSULE}:11 /spec/components/web/kind cannot be "Deploymnet"; did you mean "Deployment"?`,
    `fields-exclude-each-other error ${CAPSULE}:15 /spec/components/web/env/A needs exactly one of value, config, dependency, secret; it has value and config`,
    `wrong-type error ${CAPSULE}:13 /spec/components/web/scaling/replicas must be a whole number or a map, not "two"`,
  ]);
});

test('files of an environment that is not declared are named; of a broken one they are not', () => {
  expect(shown(problemsOf({ 'environments/prod/config/web.yaml': 'a: 1\n' }))).toEqual([
    'environment-missing error environments/prod/config/web.yaml: environments/prod/config/web.yaml belongs to environment "prod", which has no environment.yaml',
  ]);
  const broken = problemsOf({ 'environments/prod/config/web.yaml': 'a: 1\n', 'environments/prod/environment.yaml': 'kind: [' });
  expect(broken.map((problem) => problem.code)).not.toContain('environment-missing');
});
