import { execFileSync } from 'node:child_process';
import type { Worker } from 'node:worker_threads';

import { afterEach, describe, expect, it } from 'vitest';

import { renderWorkers } from '#adapters/render-workers/render-workers.ts';
import type { RenderWorkersOptions } from '#adapters/render-workers/render-workers.ts';
import type { Renderer } from '#ports/renderer.ts';
import { renderUnit } from '#render/render.ts';
import { unit } from '#test/render/builders.ts';

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{name}}\ndata:\n  greeting: {{config.greeting}}\n';
const opened: Renderer[] = [];

function workers(options: RenderWorkersOptions = {}): Renderer {
  const renderer = renderWorkers({ workers: 1, ...options });
  opened.push(renderer);
  return renderer;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((renderer) => renderer.close()));
});

function greeting(instance: string, words: string) {
  return unit('{}', { instance, config: { greeting: words }, files: { 'templates/map.yaml.hbs': MAP } });
}

/** A loop within a loop within a loop: few characters, many turns. */
function nested(instance: string, items: number) {
  const list = Array.from({ length: items }, (_, at) => `${at}${'x'.repeat(2000)}`);
  const template = `a: "{{#each config.list}}{{#with @root.config}}{{#each list}}{{#each @root.config.list}}{{sha256 (json @root.config.list)}}{{/each}}{{/each}}{{/with}}{{/each}}"`;
  return unit(`metadata: {}`, { instance, config: { list }, files: { 'templates/x.yaml.hbs': template } });
}

describe('render workers', () => {
  it('render what the door renders, in the order asked for', async () => {
    const units = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name) => greeting(name, `to ${name}`));
    const renderer = workers();

    const results = await renderer.render(units);

    expect(results).toEqual(units.map((one) => renderUnit(one)));
    expect(results.every((result) => result.ok)).toBe(true);
    expect(renderer.counts()).toEqual({ renders: 9 });
  });

  it('row 50: a unit that takes too long becomes a problem, and the others their objects', async () => {
    const renderer = workers({ unitMilliseconds: 400 });
    const slow = nested('slow', 40);

    const results = await renderer.render([greeting('a', 'x'), slow, greeting('b', 'y')]);

    expect(results.map((result) => (result.ok ? 'ok' : result.problems.map((problem) => problem.message)))).toEqual([
      'ok',
      ['rendering slow 1.0.0 for prod/eu-1 takes longer than 400 ms'],
      'ok',
    ]);
  });

  it('row 51: a unit that needs too much memory ends its thread, not the process', async () => {
    const renderer = workers({ heapMegabytes: 24, unitMilliseconds: 20_000 });
    const words = Array.from({ length: 1000 }, (_, at) => `word ${at} ${'x'.repeat(1000)}`);
    const greedy = unit('{}', {
      instance: 'greedy',
      config: { words },
      files: {
        'templates/x.yaml.hbs':
          '{{#each config.words}}{{#with (concat (json @root.config.words) @index) as |w|}}{{#each @root.config.words}}{{/each}}{{/with}}{{/each}}{{#each config.words}}- {{json @root.config.words}}\n{{/each}}',
      },
    });

    const results = await renderer.render([greedy, greeting('b', 'y')]);

    expect(results.map((result) => (result.ok ? 'ok' : result.problems[0]?.code))).toEqual([
      expect.stringMatching(/render-limit|template-failed|manifest-unreadable/),
      'ok',
    ]);
  });

  it('refuse output beyond the limit', async () => {
    const results = await workers({ outputCharacters: 100 }).render([greeting('a', 'x'.repeat(200))]);

    expect(results.map((result) => (result.ok ? 'ok' : result.problems[0]?.code))).toEqual(['render-limit']);
  });

  it('render a little without a thread, and the same', async () => {
    const units = ['a', 'b', 'c'].map((name) => greeting(name, `to ${name}`));
    // A thread could not even start with so little memory.
    const renderer = workers({ hereFirst: {}, heapMegabytes: 1 });

    const results = await renderer.render(units);

    expect(results).toEqual(units.map((one) => renderUnit(one)));
    expect(results.every((result) => result.ok)).toBe(true);
  });

  it('row 50: leave to a thread what is too much for the thread of the caller', async () => {
    const renderer = workers({ hereFirst: { milliseconds: 50 }, unitMilliseconds: 2000 });

    const results = await renderer.render([greeting('a', 'x'), nested('slow', 40), greeting('b', 'y')]);

    expect(results.map((result) => (result.ok ? 'ok' : result.problems.map((problem) => problem.message)))).toEqual([
      'ok',
      ['rendering slow 1.0.0 for prod/eu-1 takes longer than 2000 ms'],
      'ok',
    ]);
  });

  it('leave no half of a package behind when the clock strikes while it loads', () => {
    // Each limit in a process of its own, as a package loads once; one of them ends in the middle.
    const program = (milliseconds: number): string => `
      import { rendererHere, HERE } from '#adapters/render-workers/render-here.ts';
      import { cel } from '#model/on-demand.ts';
      import { unit } from '#test/render/builders.ts';
      const asking = unit('{ config: { assertions: [{ expression: "config.a == 1", message: "one" }] } }', { config: { a: 1 } });
      rendererHere({ ...HERE, milliseconds: ${milliseconds} }).render([asking], 1e6);
      console.log(typeof cel().celMap);`;

    const said = [1, 5, 15, 30, 60, 120].map((milliseconds) =>
      execFileSync(process.execPath, ['--input-type=module', '--eval', program(milliseconds)], { encoding: 'utf8' }).trim(),
    );

    expect(said).toEqual(said.map(() => 'function'));
  });

  it('say what is refused in the words of a thread', async () => {
    const results = await workers({ hereFirst: {}, outputCharacters: 100 }).render([greeting('a', 'x'.repeat(200))]);

    expect(results.map((result) => (result.ok ? 'ok' : result.problems[0]?.code))).toEqual(['render-limit']);
  });

  it('end a thread that has nothing to do, and start another', async () => {
    const renderer = workers({ restMilliseconds: 0 });
    const exits: string[] = [];
    const noted = (): void => void exits.push('exit');
    process.on('worker', (worker: Worker) => void worker.once('exit', noted));

    const first = await renderer.render([greeting('a', 'x')]);
    await expect.poll(() => exits).toEqual(['exit']);
    const second = await renderer.render([greeting('a', 'x')]);

    expect(first[0]?.ok).toBe(true);
    expect(second).toEqual(first);
  });

  it('stop when asked to', async () => {
    const renderer = workers();

    await expect(renderer.render([greeting('a', 'x')], AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});
