import { createRequire } from 'node:module';
import { Script } from 'node:vm';

import type { RenderUnit, UnitResult } from '#model/rendering.ts';
import type { PreparedCapsule } from '#render/render.ts';
import { prepareCapsule, renderPrepared } from '#render/render.ts';

/** What rendering in the caller's own thread may take, all units of a process together. Beyond it the threads take over. */
export interface HereLimits {
  readonly milliseconds: number;
  /** Units of one call. */
  readonly units: number;
  /** Bytes of files of all capsules of one call. */
  readonly fileBytes: number;
}

export const HERE: HereLimits = { milliseconds: 500, units: 64, fileBytes: 1024 * 1024 };

/** Renders a little in the caller's thread; undefined where that is too much for it, and then a thread under all limits has the word. */
export interface HereRenderer {
  render(units: readonly RenderUnit[], outputCharacters: number): readonly UnitResult[] | undefined;
}

/** What every `require` of this process shares. */
const packages = createRequire(import.meta.url).cache;

/**
 * Starting a thread loads the program a second time, longer than most repositories take to render. The clock of the virtual machine ends
 * whatever does not come back: what was ended half way is never used again here.
 */
export function rendererHere(limits: HereLimits): HereRenderer {
  const prepared = new WeakMap<RenderUnit['capsule'], PreparedCapsule>();
  const script = new Script('work()');
  let left = limits.milliseconds;

  function renderAll(units: readonly RenderUnit[]): readonly UnitResult[] {
    return units.map((unit) => {
      const known = prepared.get(unit.capsule) ?? prepareCapsule(unit.capsule);
      prepared.set(unit.capsule, known);
      return renderPrepared(unit, known);
    });
  }

  function render(units: readonly RenderUnit[], outputCharacters: number): readonly UnitResult[] | undefined {
    if (left < 1 || units.length > limits.units || bytesOf(units) > limits.fileBytes) return undefined;
    const began = performance.now();
    const loaded = new Set(Object.keys(packages));
    try {
      const results: { value?: readonly UnitResult[] } = {};
      const work = (): void => {
        results.value = renderAll(units);
      };
      script.runInNewContext({ work }, { timeout: Math.ceil(left) });
      const { value } = results;
      return value?.every((result) => charactersOf(result) <= outputCharacters) === true ? value : undefined;
    } catch {
      // Too slow, too deep, or broken: a thread finds out which, and says so.
      left = 0;
      // A package that was being loaded when the clock struck is half a package for ever; whoever needs it next loads it anew.
      for (const path of Object.keys(packages)) if (!loaded.has(path)) Reflect.deleteProperty(packages, path);
      return undefined;
    } finally {
      left -= performance.now() - began;
    }
  }

  return { render };
}

function bytesOf(units: readonly RenderUnit[]): number {
  let bytes = 0;
  for (const capsule of new Set(units.map((unit) => unit.capsule))) {
    for (const content of capsule.files.values()) bytes += content.byteLength;
  }
  return bytes;
}

function charactersOf(result: UnitResult): number {
  const unit = result.ok ? result.value : result.made;
  return unit?.objects.reduce((sum, object) => sum + object.text.length, 0) ?? 0;
}
