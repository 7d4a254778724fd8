import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect } from 'vitest';

import type { RenderUnit, TargetRendering } from '#model/rendering.ts';
import { assembleTarget, compareRenderings, renderUnit } from '#render/render.ts';
import { target, unit } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

const HERE = import.meta.dirname;

/** Texts by path. */
export function filesBelow(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length + 1), readFileSync(path, 'utf8')];
    }),
  );
}

/** A unit of `test/golden/<name>/capsules/<from>`. */
export function capsule(name: string, from: string, options: UnitOptions): RenderUnit {
  const files = filesBelow(join(HERE, name, 'capsules', from));
  return unit(files['capsule.yaml'] ?? '', { ...options, files });
}

/** The target of these units; each is rendered twice. */
export function rendered(units: readonly RenderUnit[]): TargetRendering {
  const done = units.map((one) => {
    const result = renderUnit(one);
    if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
    const again = renderUnit(one);
    expect(again.ok && compareRenderings(one, result.value, again.value)).toEqual([]);
    return { ...one, rendered: result.value };
  });
  const assembled = assembleTarget(target(), done);
  if (!assembled.ok) throw new Error(assembled.problems.map((problem) => problem.message).join('\n'));
  return assembled.value;
}

type Files = Readonly<Record<string, string>>;

/** What was rendered and what `test/golden/<name>/expected` holds. `CAPSTAN_GOLDEN=write` writes it first; explain the difference in the commit. */
export function golden(name: string, rendering: TargetRendering): { readonly actual: Files; readonly expected: Files } {
  const directory = join(HERE, name, 'expected', 'eu-1');
  const actual = Object.fromEntries([
    ...rendering.objects.map((object): [string, string] => [object.path, object.text]),
    ['render.metadata', rendering.metadata],
  ]);
  if (process.env['CAPSTAN_GOLDEN'] === 'write') {
    rmSync(directory, { recursive: true, force: true });
    for (const [path, text] of Object.entries(actual)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
  }
  return { actual, expected: filesBelow(directory) };
}
