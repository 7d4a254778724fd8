import { describe, expect, it } from 'vitest';

import { toSha256, toTreeId } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { toInstanceName } from '#model/names.ts';
import type { RenderUnit } from '#model/rendering.ts';
import { outputsOf } from '#render/render.ts';
import { capsule, golden, rendered } from '#test/golden/golden.ts';

function withContent(one: RenderUnit, content: { readonly gitTree: string; readonly sha256: string; readonly wave: number }): RenderUnit {
  return { ...one, wave: content.wave, pin: { ...one.pin, gitTree: toTreeId(content.gitTree), sha256: toSha256(content.sha256) } };
}

describe('golden renderings', () => {
  it('greeter and redis of the worked example, on prod/eu-1', () => {
    const redis = capsule('render-greeter', 'redis', { config: { maxmemory: '64mb' } });
    const outputs = outputsOf({
      declaration: redis.capsule.declaration,
      instance: redis.pin.instance,
      target: redis.target,
      configuration: redis.configuration,
    });
    const greeter = capsule('render-greeter', 'greeter', {
      config: { greeting: 'Bonjour', replicas: 5 } satisfies JsonObject,
      dependencies: { cache: { instance: toInstanceName('redis'), outputs } },
    });

    expect(outputs).toEqual({ url: 'redis://redis.acme-prod.svc:6379', 'redis.url': 'redis://redis.acme-prod.svc:6379' });
    const { actual, expected } = golden(
      'render-greeter',
      rendered([
        withContent(greeter, {
          gitTree: '50dad6ea4e16c9e2d4a343c9870b015c5cf0c5ca',
          sha256: 'c86e6e06a6ed8e931c37d41038bb7695d129bc9671e7d4a44e8e3af5e5a5f4c0',
          wave: 1,
        }),
        redis,
      ]),
    );
    expect(actual).toEqual(expected);
  });

  it('everything a component can imply, templates and raw manifests', () => {
    const shop = capsule('render-everything', 'shop', {
      config: { size: 3, limits: { b: 2, a: 1 }, hosts: ['a.example', 'x: y # "z"'] },
      dependencies: { cache: { instance: 'redis', outputs: { url: 'redis://redis.acme-prod.svc:6379' } } },
      capabilities: { cache: true, queue: false },
    });

    const rendering = rendered([shop]);

    const { actual, expected } = golden('render-everything', rendering);
    expect(actual).toEqual(expected);
    for (const object of rendering.objects) {
      const read = readKubernetesYaml(object.text, object.path);
      expect(read.ok && read.value.map((document) => document.value)).toEqual([object.object]);
    }
  });
});
