import { beforeAll, expect, test } from 'vitest';

import { changed, edit, plantedGarden, seen, validated, withLocks, type Change, type Garden } from './garden.ts';
import { renderedDev } from './rendered-dev.ts';
import { DEV, library } from './rule-changes.ts';

export const SHOP = 'capsules/shop/capsule.yaml';
/** A bundle of a page and its own redis, and of a second page where `both` says so. */
const BUNDLE: Change = {
  'capsules/page/capsule.yaml': library(
    'page',
    `  components:
    page:
      kind: Deployment
      image: registry.example.com/page@sha256:${'1f0a3c2b7e5d4896'.repeat(4)}
      env:
        GREETING:
          config: greeting
        CACHE_URL:
          dependency: cache
          output: url
      ports:
        http:
          port: 8080
      scaling:
        replicas:
          config: replicas
  dependencies:
    cache:
      capsule: redis
      version: ^7.0.0
  provides:
    http:
      protocol: http
      port: http
      outputs:
        url: http://{{name}}.{{namespace}}.svc:8080
  config:
    schema:
      type: object
      additionalProperties: false
      properties:
        greeting:
          type: string
        replicas:
          type: integer
          default: 1
    defaults:
      greeting: Hello
`,
  ),
  [SHOP]: library(
    'shop',
    `  instances:
    cache:
      capsule: redis
      version: ^7.0.0
    front:
      capsule: page
      version: ^1.0.0
      config:
        greeting: Salut
    second:
      capsule: page
      version: ^1.0.0
      when: config.both
  config:
    schema:
      type: object
      additionalProperties: false
      properties:
        both:
          type: boolean
          default: false
`,
  ).replace('type: library', 'type: bundle'),
  'capsules/shop/templates/note.yaml.hbs': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{concat name "-parts"}}
data:
  front: {{dependencies.front.outputs.url}}
  second: {{#if capabilities.second}}{{dependencies.second.outputs.url}}{{else}}""{{/if}}
`,
  [DEV]: edit(
    '    web:\n',
    '    shop:\n      version: ^1.0.0\n      instances:\n        front:\n          config:\n            replicas: 3\n    web:\n',
  ),
};

let bundled: Garden;

beforeAll(async () => {
  bundled = await withLocks(await changed(await plantedGarden(), BUNDLE));
});

test('children are locked as instances of the bundle, and served by each other before the environment', async () => {
  const { prepared } = await renderedDev(bundled);
  expect(prepared.pins.map((pin) => [pin.instance, pin.capsule, pin.requestedBy])).toEqual([
    ['redis', 'redis', ['web']],
    ['shop', 'shop', ['environment']],
    ['shop.cache', 'redis', ['shop', 'shop.front']],
    ['shop.front', 'page', ['shop']],
    ['web', 'web', ['environment']],
  ]);
});

test('a child is configured by its bundle, and above it by the environment', async () => {
  const { target } = await renderedDev(bundled);
  const deployment = target.objects.find((object) => object.path === 'shop.front/apps_v1_deployment_shop-dev_shop-front.yaml')?.text;
  expect(deployment).toContain('value: redis://shop-cache.shop-dev.svc:6379');
  expect(deployment).toContain('value: Salut');
  expect(deployment).toContain('replicas: 3');
});

test('a bundle renders its own templates, which know its children, and is as healthy as they are', async () => {
  const { target } = await renderedDev(bundled);
  const own = target.objects.filter((object) => object.instance === 'shop').map((object) => object.text);
  expect(own).toEqual([expect.stringContaining('front: http://shop-front.shop-dev.svc:8080\n  second: ""')]);
  expect(target.instances.get('shop' as never)).toMatchObject({ healthOf: ['shop.cache', 'shop.front'], wave: 2 });
});

test('what belongs to an instance runs where that runs', async () => {
  const wanted = '    shop:\n      version: ^1.0.0\n';
  const small = await changed(bundled, { [DEV]: edit(wanted, `${wanted}      targets:\n        matchLabels:\n          size: small\n`) });
  const { prepared } = await renderedDev(small);
  expect(prepared.rendered.rendering.targets.map(({ target, instances }) => [target.name, [...instances.keys()]])).toEqual([
    ['one', ['redis', 'shop', 'shop.cache', 'shop.front', 'web']],
    ['two', ['redis', 'web']],
  ]);
});

test('a child that its environment asks for comes with its condition', async () => {
  const both = await withLocks(
    await changed(bundled, { [DEV]: edit('      instances:\n', '      config:\n        both: true\n      instances:\n') }),
  );
  const { target } = await renderedDev(both);
  expect([...target.instances.keys()]).toContain('shop.second');
  expect(target.objects.find((object) => object.instance === 'shop')?.text).toContain('second: http://shop-second.shop-dev.svc:8080');
});

test('validate finds nothing wrong with it', async () => {
  expect(seen(await validated(bundled))).toEqual([]);
});
