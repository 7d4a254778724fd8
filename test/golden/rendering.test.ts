import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { toSha256, toTreeId } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { toInstanceName } from '#model/names.ts';
import type { RenderUnit, TargetRendering } from '#model/rendering.ts';
import { assembleTarget, compareRenderings, outputsOf, renderUnit } from '#render/render.ts';
import { target, unit } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

const HERE = import.meta.dirname;

function filesBelow(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length + 1), readFileSync(path, 'utf8')];
    }),
  );
}

function capsule(name: string, from: string, options: UnitOptions): RenderUnit {
  const files = filesBelow(join(HERE, name, 'capsules', from));
  return unit(files['capsule.yaml'] ?? '', { ...options, files });
}

function rendered(units: readonly RenderUnit[]): TargetRendering {
  const done = units.map((one) => {
    const result = renderUnit(one);
    if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
    expect(compareRenderings(one, result.value, result.value)).toEqual([]);
    return { ...one, rendered: result.value };
  });
  const assembled = assembleTarget(target(), done);
  if (!assembled.ok) throw new Error(assembled.problems.map((problem) => problem.message).join('\n'));
  return assembled.value;
}

/** `CAPSTAN_GOLDEN=write` writes what was rendered; explain the difference in the commit. */
function compare(name: string, rendering: TargetRendering): void {
  const expected = join(HERE, name, 'expected', 'eu-1');
  const files = Object.fromEntries([
    ...rendering.objects.map((object): [string, string] => [object.path, object.text]),
    ['render.metadata', rendering.metadata],
  ]);
  if (process.env['CAPSTAN_GOLDEN'] === 'write') {
    rmSync(expected, { recursive: true, force: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(expected, path)), { recursive: true });
      writeFileSync(join(expected, path), text);
    }
  }
  expect(files).toEqual(filesBelow(expected));
}

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
    compare(
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
  });

  it('everything a component can imply, templates and raw manifests', () => {
    const shop = capsule('render-everything', 'shop', {
      config: { size: 3, limits: { b: 2, a: 1 }, hosts: ['a.example', 'x: y # "z"'] },
      dependencies: { cache: { instance: 'redis', outputs: { url: 'redis://redis.acme-prod.svc:6379' } } },
      capabilities: { cache: true, queue: false },
    });

    const rendering = rendered([shop]);

    compare('render-everything', rendering);
    for (const object of rendering.objects) {
      const read = readKubernetesYaml(object.text, object.path);
      expect(read.ok && read.value.map((document) => document.value)).toEqual([object.object]);
    }
  });
});
