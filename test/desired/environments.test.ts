import { expect, test } from 'vitest';

import { capsule, environment, ofRule, problemsOf, shown } from '#test/desired/declarations.ts';

const WEB = { 'capsules/web/capsule.yaml': capsule('web', '1.0.0') };

function environments(specs: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = WEB) {
  const entries = Object.entries(specs).map(([name, spec]) => [`environments/${name}/environment.yaml`, environment(name, spec)]);
  return problemsOf({ ...files, ...Object.fromEntries(entries) });
}

const from = (...names: readonly string[]): string =>
  `promotion:\n  from:\n    environments:\n${names.map((name) => `      - ${name}`).join('\n')}`;
const request = (range: string): string => `capsules:\n  web:\n    version: ${range}`;

test('V-41: a circle of promotions is an error, a self-loop included', () => {
  expect(ofRule(environments({ prod: from('staging'), staging: from('prod') }), 'V-41')).toEqual([
    'V-41 error environments/prod/environment.yaml:14 promotion cycle: prod → staging → prod',
  ]);
  expect(ofRule(environments({ prod: from('prod') }), 'V-41')).toEqual([
    'V-41 error environments/prod/environment.yaml:14 promotion cycle: prod → prod',
  ]);
});

test('V-41: a diamond is no circle', () => {
  expect(shown(environments({ dev: '', a: from('dev'), b: from('dev'), prod: from('a', 'b') }))).toEqual([]);
});

test('V-42: an upstream that is no environment is named with its neighbour', () => {
  expect(shown(environments({ staging: '', prod: from('stagin') }))).toEqual([
    'V-42 error environments/prod/environment.yaml:14 prod promotes from "stagin", which is not an environment; did you mean "staging"?',
  ]);
});

test('V-42: an upstream whose file is broken is not called missing', () => {
  expect(ofRule(environments({ prod: from('dev') }, { 'environments/dev/environment.yaml': 'kind: [' }), 'V-42')).toEqual([]);
});

test('V-43: a request that the upstream does not deploy, or has disabled', () => {
  const disabled = `${request('^1.0.0')}\n    enabled: false`;
  for (const dev of ['', disabled]) {
    expect(ofRule(environments({ dev, prod: `${request('^1.0.0')}\n${from('dev')}` }), 'V-43')).toEqual([
      'V-43 error environments/prod/environment.yaml:12 prod expects web from dev, but dev does not deploy it',
    ]);
  }
});

test('V-43: capsules that come in as dependencies count, names of instances do not, and any upstream is enough with strategy any', () => {
  const shop = {
    ...WEB,
    'capsules/shop/capsule.yaml': capsule('shop', '1.0.0', 'dependencies:\n  web:\n    capsule: web\n    version: ^1.0.0'),
  };
  expect(
    shown(environments({ dev: 'capsules:\n  shop:\n    version: ^1.0.0', prod: `${request('^1.0.0')}\n${from('dev')}` }, shop)),
  ).toEqual([]);
  const alias = 'capsules:\n  site:\n    capsule: web\n    version: ^1.0.0';
  expect(shown(environments({ dev: alias, prod: `${request('^1.0.0')}\n${from('dev')}` }))).toEqual([]);
  const any = `${request('^1.0.0')}\n${from('dev', 'test')}\n    strategy: any`;
  expect(shown(environments({ dev: '', test: request('^1.0.0'), prod: any }))).toEqual([]);
});

test('V-44: ranges that never meet', () => {
  expect(shown(environments({ dev: request('^2.0.0'), prod: `${request('^1.4.0')}\n${from('dev')}` }))).toEqual([
    'V-44 error environments/prod/environment.yaml:13 prod accepts ^1.4.0 but dev deploys ^2.0.0; nothing can be promoted',
  ]);
});

test('V-44: ranges that meet at one version are fine', () => {
  expect(shown(environments({ dev: request('">=1.4.2"'), prod: `${request('1.4.2')}\n${from('dev')}` }))).toEqual([]);
});

test('V-51: selectors that choose no target, partition or device', () => {
  const spec = `${request('^1.0.0')}\n    targets:\n      matchLabels:\n        region: ue\nrollout:\n  partitions:\n    - name: canary\n      selector:\n        matchLabels:\n          partition: canary`;
  const fleet =
    'apiVersion: capstan.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: kiosks\nspec:\n  selector:\n    matchLabels:\n      class: kiosk\n';
  expect(ofRule(environments({ dev: spec }, { ...WEB, 'environments/dev/fleets/kiosks.yaml': fleet }), 'V-51')).toEqual([
    'V-51 error environments/dev/environment.yaml:14 capsules.web.targets matches no target of dev',
    'V-51 error environments/dev/environment.yaml:20 partition "canary" matches no target of dev',
    'V-51 error environments/dev/fleets/kiosks.yaml:6 fleet "kiosks" matches no device of dev',
  ]);
});

test('V-51: a selector that chooses one target is fine, and an empty one chooses all', () => {
  const target = 'targets:\n  a:\n    driver: directory\n    path: a\n    labels:\n      region: eu\n';
  expect(shown(environments({ dev: `${target}${request('^1.0.0')}\n    targets:\n      matchLabels:\n        region: eu` }))).toEqual([]);
  expect(shown(environments({ dev: `${target}${request('^1.0.0')}\n    targets: {}` }))).toEqual([]);
});

test('V-54: a driver that cannot take a component kind, also of a dependency', () => {
  const files = {
    'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'dependencies:\n  nightly:\n    capsule: nightly\n    version: ^1.0.0'),
    'capsules/nightly/capsule.yaml': capsule('nightly', '1.0.0', 'components:\n  run:\n    kind: CronJob\n    image: a'),
  };
  const spec = `targets:\n  kiosks:\n    driver: edge\n    labels:\n      tier: edge\n  here:\n    driver: directory\n    path: here\n${request('^1.0.0')}`;
  expect(ofRule(environments({ dev: spec }, files), 'V-54')).toEqual([
    'V-54 error environments/dev/environment.yaml:9 driver edge cannot deploy component kind CronJob (nightly.run)',
  ]);
  expect(ofRule(environments({ dev: `${spec}\n    targets:\n      matchLabels:\n        tier: cloud` }, files), 'V-54')).toEqual([]);
});

test('V-54 near miss: a driver that is not known is left to the table of what is honoured', () => {
  const files = { 'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'components:\n  run:\n    kind: Salt') };
  expect(ofRule(environments({ dev: `targets:\n  a:\n    driver: nomad\n${request('^1.0.0')}` }, files), 'V-54')).toEqual([]);
});

test('V-97: references to nothing, each with what is known', () => {
  const project =
    'apiVersion: capstan.dev/v1alpha1\nkind: Project\nmetadata:\n  name: p\nspec:\n  teams:\n    sre:\n      users:\n        - eve\n';
  const spec = [
    request('^1.0.0'),
    'policies:\n  - ref: pods',
    'approvals:\n  - required: 1\n    teams:\n      - src',
    'gates:\n  - name: drift\n    type: drift\n    environment: stagin',
    'targets:\n  a:\n    driver: edge\n    fleet: kiosk\n    overrides:\n      wbe:\n        config: {}',
  ];
  const files = {
    ...WEB,
    'environments/project.yaml': project,
    'environments/dev/config/shop.yaml': 'a: 1\n',
    'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'security:\n  signatures:\n    identities:\n      - ci-release'),
  };
  expect(ofRule(environments({ dev: spec.join('\n') }, files), 'V-97')).toEqual([
    'V-97 error capsules/web/capsule.yaml:11 /spec/security/signatures/identities/0 names trust entry "ci-release", which is not declared (known: none)',
    'V-97 error environments/dev/config/shop.yaml:1 environments/dev/config/shop.yaml names instance "shop", which is not declared (known: web)',
    'V-97 error environments/dev/environment.yaml:11 /spec/policies/0/ref names policy "pods", which is not declared (known: none)',
    'V-97 error environments/dev/environment.yaml:15 /spec/approvals/0/teams/0 names team "src", which is not declared (known: sre); did you mean "sre"?',
    'V-97 error environments/dev/environment.yaml:19 /spec/gates/0/environment names environment "stagin", which is not declared (known: dev)',
    'V-97 error environments/dev/environment.yaml:23 /spec/targets/a/fleet names fleet "kiosk", which is not declared (known: none)',
    'V-97 error environments/dev/environment.yaml:25 /spec/targets/a/overrides/wbe names instance "wbe", which is not declared (known: web); did you mean "web"?',
  ]);
});

test('V-97: layers of instances that come in as dependencies are declared', () => {
  const files = {
    'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'dependencies:\n  cache:\n    capsule: redis\n    version: ^7.0.0'),
    'capsules/redis/capsule.yaml': capsule('redis', '7.2.5'),
    'environments/dev/config/redis.yaml': 'maxmemory: 1gb\n',
  };
  expect(shown(environments({ dev: request('^1.0.0') }, files))).toEqual([]);
});

test('V-98: a capsule for another Capstan, and one for this', () => {
  const made = (range: string) =>
    problemsOf({ 'capsules/web/capsule.yaml': capsule('web', '1.0.0', `engine: "${range}"`) }, { engineVersion: '0.1.0' });
  expect(shown(made('>=0.2.0'))).toEqual(['V-98 error capsules/web/capsule.yaml:8 web needs Capstan >=0.2.0; this is 0.1.0']);
  expect(shown(made('>=0.1.0 <1.0.0'))).toEqual([]);
});

test('instances that a component lets in or calls and no environment has are a warning', () => {
  const peers = (list: string): Readonly<Record<string, string>> => ({
    'capsules/web/capsule.yaml': capsule(
      'web',
      '1.0.0',
      `components:\n  web:\n    kind: Deployment\n    image: a\n    network: { ${list} }\ndependencies:\n  cache:\n    capsule: redis\n    version: ^7.0.0`,
    ),
    'capsules/redis/capsule.yaml': capsule('redis', '7.2.5'),
  });

  expect(shown(environments({ dev: request('^1.0.0') }, peers('ingressFrom: [nobody], egressTo: ["dependency:cache", wbe]')))).toEqual([
    'peer-undeclared warning capsules/web/capsule.yaml:12 /spec/components/web/network/ingressFrom/0 names instance "nobody", which no environment has (known: redis, web)',
    'peer-undeclared warning capsules/web/capsule.yaml:12 /spec/components/web/network/egressTo/1 names instance "wbe", which no environment has (known: redis, web); did you mean "web"?',
  ]);
  expect(shown(environments({ dev: request('^1.0.0') }, peers('ingressFrom: [web, web.inner], egressTo: [redis]')))).toEqual([]);
  expect(shown(problemsOf(peers('ingressFrom: [nobody]')))).toEqual([]);
});
