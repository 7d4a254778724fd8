import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { expect, test } from 'vitest';

import { directoryTargets } from '#adapters/directory/directory.ts';
import { reconcile } from '#loops/reconcile.ts';
import { toSecret } from '#model/secret.ts';
import type { Journal } from '#ports/machine.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import { scratchFolder } from '#test/contracts/directory-bench.ts';
import { portsOf, startEngine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { DEV, shopFiles, type Files } from './shop.ts';
import { declareShop, freshLocks } from './stories.ts';

const CANARY = 'canary-7f3a9c21';
const VALUE = 'ENC[AES256_GCM,data:Zm9v,iv:YWJj,tag:ZGVm,type:str]';
const FILE = `token: ${VALUE}\nsops:\n  age:\n    - recipient: age1x\n      enc: x\n  mac: ${VALUE}\n  version: 3.13.3\n`;

const opener: SealedSecrets = { open: async ({ keys }) => new Map(Object.keys(keys).map((key) => [key, toSecret(CANARY)])) };

/** The shop of one environment whose web needs a secret. */
function files(): Files {
  const shop = shopFiles([{ ...DEV, targets: ['one'] }]);
  const capsule = (shop['capsules/web/capsule.yaml'] ?? '')
    .replace('      ports:\n', '      env:\n        TOKEN:\n          secret: api\n      ports:\n')
    .concat('  secrets:\n    api:\n      keys: [token]\n');
  const environment = `${shop['environments/dev/environment.yaml'] ?? ''}  secrets:\n    web:\n      api:\n        provider: sops\n        path: secrets/api.yaml\n`;
  return {
    ...shop,
    'capsules/web/capsule.yaml': capsule.replace('version: 1.0.0', 'version: 1.1.0'),
    'environments/dev/environment.yaml': environment,
    'environments/dev/secrets/api.yaml': FILE,
  };
}

async function declared(): Promise<Outside> {
  const outside = newOutside();
  await declareShop(outside, [{ ...DEV, targets: ['one'] }]);
  await peopleOf(outside).push(files(), { message: 'Need a secret' });
  await peopleOf(outside).push(await freshLocks(outside), { message: 'Lock versions' });
  return outside;
}

test('row 103: the value of an encrypted secret is in the applied object and nowhere else', async () => {
  const outside = await declared();
  const root = await scratchFolder();
  const lines: unknown[] = [];
  const note = (...words: unknown[]): void => void lines.push(words);
  const journal: Journal = { info: note, warn: note, debug: note, error: note };
  const ports = { ...portsOf(outside), journal, targets: directoryTargets({ root, secrets: opener }) };
  const engine = startEngine(ports);

  await engine.start();

  const applied = await readFile(join(root, 'dev/one/web/core_v1_secret_shop-dev_web-api.yaml'), 'utf8');
  expect(applied).toContain(`token: ${CANARY}`);
  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });

  const again = await reconcile(engine.world, { environment: 'dev', target: undefined, trigger: 'person', dryRun: true });
  expect(again.runs.flatMap((run) => run.plan.steps.map((step) => step.action))).not.toContain('update');
  const git = [...outside.remote.objects, ...outside.mirror.objects].map(([, object]) => contentOf(object));
  const everything = [
    ...git,
    inspect(outside.forge, { depth: 12 }),
    inspect([...engine.endings], { depth: 12 }),
    inspect(again, { depth: 20 }),
    inspect(lines, { depth: 12 }),
    await readFile(join(root, 'dev/one/.capstan/inventory.json'), 'utf8'),
  ];
  expect(git.some((text) => text.includes('sealed: opened where it is applied'))).toBe(true);
  expect(everything.filter((text) => text.includes(CANARY) || text.includes(Buffer.from(CANARY).toString('base64')))).toEqual([]);
});

test('without a key the others are applied, the run says which object waits, and nothing is repeated', async () => {
  const outside = await declared();
  const root = await scratchFolder();
  const engine = startEngine({ ...portsOf(outside), targets: directoryTargets({ root }) });

  await engine.start();

  expect(engine.endings.get('reconcile/dev')).toMatchObject({
    kind: 'stuck',
    problems: [
      {
        code: 'secret-not-opened',
        message: expect.stringContaining('web-api could not be written: this process opens no encrypted files'),
      },
    ],
  });
  expect(await readFile(join(root, 'dev/one/web/apps_v1_deployment_shop-dev_web.yaml'), 'utf8')).toContain('name: web');
});

function contentOf(object: unknown): string {
  if (object instanceof Uint8Array) return Buffer.from(object).toString('utf8');
  if (typeof object !== 'object' || object === null) return String(object);
  return Object.values(object).map(contentOf).join('\n');
}
