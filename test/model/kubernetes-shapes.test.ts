import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { forbiddenKind, isClusterScoped } from '#model/kubernetes-kinds.ts';
import { groupAndVersion } from '#model/kubernetes-object.ts';
import { minorOf, nearestMinor, openKubernetes } from '#model/kubernetes-shapes.ts';
import { KUBERNETES_CHOSEN } from '#model/kubernetes.generated.ts';
import { generatedKubernetes, KUBERNETES_FILE, KUBERNETES_RELEASES, type ModuleFolders } from '#schemas/generate-kubernetes.ts';
import { kubernetesTexts } from '#test/render/kubernetes-texts.ts';

const TEXTS = kubernetesTexts();
const HERE = await areDownloaded();

describe('the committed shapes of Kubernetes', () => {
  test('name the modules that they are from, and the day', () => {
    expect(TEXTS.sources).toEqual(
      KUBERNETES_RELEASES.map(({ minor, kubernetes, api }) => ({ minor, from: [`k8s.io/kubernetes@${kubernetes}`, `k8s.io/api@${api}`] })),
    );
    expect(KUBERNETES_CHOSEN).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  test('stay small', async () => {
    expect((await stat(KUBERNETES_FILE)).size).toBeLessThan(150_000);
  });

  test.each(KUBERNETES_RELEASES.map((release) => release.minor))(
    'of %s are whole: every kind and every shape that one names is there',
    (minor) => {
      const api = openKubernetes(TEXTS, minor);
      const seen = new Set<string>();
      const open = [...api.kinds.values()];
      for (let name = open.pop(); name !== undefined; name = open.pop()) {
        if (seen.has(name)) continue;
        seen.add(name);
        for (const { type } of api.shape(name).fields.values()) {
          let here = type;
          while (here.kind === 'map' || here.kind === 'list') here = here.kind === 'map' ? here.value : here.item;
          if (here.kind === 'shape') open.push(here.shape);
        }
      }

      expect(api.kinds.size).toBeGreaterThan(70);
      expect(seen.size).toBeGreaterThan(600);
      expect(api.kinds.get('apps/v1 Deployment')).toBe('apps.v1.Deployment');
      expect(api.shape('core.v1.ContainerPort').fields.get('protocol')).toEqual({
        required: false,
        type: { kind: 'choice', values: ['SCTP', 'TCP', 'UDP'] },
      });
    },
  );

  test.runIf(HERE)('are what the modules say', async () => {
    expect(await readFile(KUBERNETES_FILE, 'utf8')).toBe(await generatedKubernetes((release) => Promise.resolve(foldersOf(release))));
  });
});

test('what belongs to the whole cluster is known of every kind that can be declared', () => {
  const kinds = TEXTS.newest.split('\n').filter((line) => line.startsWith(':'));
  const wrong = kinds.filter((line) => {
    const [apiVersion = '', kind = '', scope] = line.slice(1).split(' ');
    const { group } = groupAndVersion(apiVersion);
    return forbiddenKind(group, kind) === undefined && isClusterScoped(group, kind) !== (scope === 'c');
  });

  expect(kinds.length).toBeGreaterThan(70);
  expect(wrong).toEqual([]);
});

test('a minor is read from what clusters call their versions', () => {
  expect(['1.34', 'v1.34.2', '1.33.1-gke.1200', 'v1.31.4+k3s1', 'latest', '1'].map(minorOf)).toEqual([
    '1.34',
    '1.34',
    '1.33',
    '1.31',
    undefined,
    undefined,
  ]);
});

test('the nearest minor stands in for one that is not shipped, and the newest for none', () => {
  const nearest = [undefined, '1.34', '1.35', '1.29', '1.40'].map((wanted) => nearestMinor(TEXTS, wanted));

  expect(nearest).toEqual(['1.35', '1.34', '1.35', '1.34', '1.35']);
});

function foldersOf({ kubernetes, api }: (typeof KUBERNETES_RELEASES)[number]): ModuleFolders {
  const cache = process.env['GOMODCACHE'] ?? join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'pkg', 'mod');
  return { kubernetes: join(cache, `k8s.io/kubernetes@${kubernetes}`), api: join(cache, `k8s.io/api@${api}`) };
}

async function areDownloaded(): Promise<boolean> {
  const folders = KUBERNETES_RELEASES.flatMap((release) => Object.values(foldersOf(release)));
  const found = await Promise.all(
    folders.map((folder) =>
      stat(folder).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}
