import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { pinoJournal, systemClock } from '#adapters/machine/machine.ts';
import { createWorld } from '#loops/create-world.ts';
import { diagnose } from '#loops/doctor.ts';
import { reconcile } from '#loops/reconcile.ts';
import { toEnvironmentName } from '#model/names.ts';
import { toSecret } from '#model/secret.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import { serviceWork } from '#service/service.ts';
import { canaryText, searcherOf, told } from '#test/canaries/canaries.ts';
import { startKubernetes, type RunningKubernetes } from '#test/servers/kubernetes.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, type Files } from '#test/stories/shop.ts';
import { freshLocks } from '#test/stories/stories.ts';
import { emptyNamespace, openTargets } from './cluster-bench.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-canaries-'));
const { signal } = new AbortController();
const NAMESPACE = 'shop-dev';
const VALUE = 'ENC[AES256_GCM,data:Zm9v,iv:YWJj,tag:ZGVm,type:str]';
const SEALED = `token: ${VALUE}\nsops:\n  age:\n    - recipient: age1x\n      enc: x\n  mac: ${VALUE}\n  version: 3.13.3\n`;
let kubernetes: RunningKubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch);
}, 300_000);

afterAll(async () => {
  await kubernetes?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function files(version: string, isSecretDeclared: boolean): Files {
  const capsule = (capsuleFiles(version)['capsules/web/capsule.yaml'] ?? '')
    .replace('      ports:\n', '      env:\n        TOKEN:\n          secret: api\n      ports:\n')
    .concat('  secrets:\n    api:\n      keys: [token]\n');
  const environment = environmentFile({ ...DEV, targets: ['one'] }).replace(
    /driver: directory\n +path: .*\n/,
    `driver: kubernetes\n      credentials: here\n      namespace: ${NAMESPACE}\n`,
  );
  const secrets = '  secrets:\n    web:\n      api:\n        provider: sops\n        path: secrets/api.yaml\n';
  return {
    'environments/project.yaml': PROJECT_FILE,
    'environments/dev/environment.yaml': environment + (isSecretDeclared ? secrets : ''),
    'environments/dev/secrets/api.yaml': SEALED,
    'capsules/web/capsule.yaml': capsule,
  };
}

test('row 103: neither the token of a kubeconfig nor a value of a Secret, ours or theirs, is in anything that the engine writes', async () => {
  await emptyNamespace(kubernetes, NAMESPACE);
  const canaries = new Map([
    ['value of ours', canaryText('value of ours', 'rich')],
    ['value of somebody else', canaryText('value of somebody else', 'plain')],
    ['value that an annotation repeats', canaryText('value that an annotation repeats', 'plain')],
    ['token', kubernetes.token],
  ]);
  const canary = (name: string): string => canaries.get(name) ?? '';
  const secrets: SealedSecrets = {
    open: async ({ keys }) => new Map(Object.keys(keys).map((key) => [key, toSecret(canary('value of ours'))])),
  };
  const lines: string[] = [];
  const outside = newOutside();
  const targets = openTargets(kubernetes, { secrets });
  // Nothing is known to the journal, so that it masks nothing.
  const journal = pinoJournal({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const world = createWorld({ ...portsOf(outside), targets, journal, clock: systemClock });
  const work = serviceWork(world);
  const outputs: unknown[] = [];
  const run = async (): Promise<void> => {
    outputs.push(await work.look('poll', signal));
    const request = { environment: 'dev', target: undefined, trigger: 'person', dryRun: true } as const;
    outputs.push(await reconcile(world, request, signal), await reconcile(world, { ...request, dryRun: false }, signal));
    outputs.push(await work.reconcile(toEnvironmentName('dev'), 'poll', signal));
    outputs.push(await diagnose(world, { publicKey: 'ssh-ed25519 AAAA', fix: false, webhook: undefined }));
  };
  const edit = (patch: object): Promise<string> =>
    kubernetes.kubectl(['patch', 'secret', 'web-api', '-n', NAMESPACE, '--type=merge', '-p', JSON.stringify(patch)]);

  await peopleOf(outside).push(files('1.1.0', true));
  await peopleOf(outside).push(await freshLocks(outside), { message: 'Lock versions' });
  await run();
  const written = await kubernetes.kubectl(['get', 'secret', 'web-api', '-n', NAMESPACE, '-o', 'jsonpath={.data.token}']);
  await edit({ stringData: { token: canary('value of somebody else'), more: canary('value of somebody else') } });
  await run();
  const annotation = {
    'kubectl.kubernetes.io/last-applied-configuration': `{"stringData":{"token":"${canary('value that an annotation repeats')}"}}`,
  };
  await edit({ metadata: { annotations: annotation }, stringData: { more: canary('value that an annotation repeats') } });
  await run();
  // What cannot be written any more makes the server speak of the object.
  await edit({ immutable: true });
  await edit({ metadata: { labels: { 'app.kubernetes.io/instance': 'somebody' } } });
  await run();
  await targets.close();

  const inventory = await kubernetes.kubectl(['get', 'configmaps', '-n', NAMESPACE, '-o', 'json']);
  const search = searcherOf(canaries);
  expect(Buffer.from(written, 'base64').toString('utf8')).toBe(canary('value of ours'));
  expect(search('the Secret itself', await kubernetes.kubectl(['get', 'secrets', '-n', NAMESPACE, '-o', 'json']))).not.toEqual([]);
  expect(lines.length).toBeGreaterThan(2);
  expect(inspect(outputs, { depth: 12 })).toContain('web-api');
  expect(
    told([
      ...search('results of runs', inspect(outputs, { depth: 30, maxArrayLength: null, maxStringLength: null })),
      ...search('results of runs in JSON', JSON.stringify(outputs)),
      ...search('the log', lines.join('')),
      ...search(
        'objects of git',
        inspect([outside.remote.objects, outside.mirror.objects], { depth: 8, maxArrayLength: null, maxStringLength: null }),
      ),
      ...[...outside.remote.objects, ...outside.mirror.objects].flatMap(([id, object]) => search(`object ${id}`, textOf(object))),
      ...search('the forge', inspect(outside.forge, { depth: 12, maxArrayLength: null, maxStringLength: null })),
      ...search('the inventory in the cluster', inventory),
    ]),
  ).toEqual([]);
}, 120_000);

function textOf(object: unknown): string {
  if (object instanceof Uint8Array) return Buffer.from(object).toString('latin1');
  if (typeof object !== 'object' || object === null) return String(object);
  return Object.values(object).map(textOf).join('\n');
}
