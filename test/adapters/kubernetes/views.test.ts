import { expect, test } from 'vitest';

import type { Api } from '#adapters/kubernetes/api.ts';
import { openViews } from '#adapters/kubernetes/views.ts';
import { CONFIG_MAPS, memoryServer } from './memory-server.ts';

const marks = { environment: 'dev', target: 'local', namespace: 'acme' };

function viewsOf(api: Api) {
  return openViews(api, {
    marks,
    ignore: [],
    timers: { after: () => () => undefined },
    chance: () => 0,
    moved: () => undefined,
  });
}

test('views of what is not looked at any more end, and those that are looked at go on', async () => {
  const server = memoryServer();
  const views = viewsOf(server.api);
  await views.open(CONFIG_MAPS, 'acme');
  await views.open(CONFIG_MAPS, 'shop');
  expect(server.watchers()).toBe(2);

  views.keepOnly([{ group: '', kind: 'ConfigMap', namespace: 'shop' }]);

  await expect.poll(() => server.watchers()).toBe(1);
  expect(views.of({ group: '', kind: 'ConfigMap', namespace: 'acme', name: 'a' })).toBeUndefined();
  expect(views.of({ group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' })?.isCurrent()).toBe(true);
  await views.stop();
  expect(server.watchers()).toBe(0);
});
