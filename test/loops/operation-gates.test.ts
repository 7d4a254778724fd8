import { expect, test } from 'vitest';

import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, type Files } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const CAPSULE = 'capsules/web/capsule.yaml';

/** The shop with an environment changed by `field`, running, and then a release changed by `spoil`. */
async function released(environment: (text: string) => string, spoil: (text: string) => string): Promise<Outside> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': environment(environmentFile(DEV)) });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const files: Files = { ...capsuleFiles('1.1.0'), [CAPSULE]: spoil(capsuleFiles('1.1.0')[CAPSULE] ?? '') };
  await peopleOf(outside).push(files, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  return outside;
}

const requests = (outside: Outside): readonly string[] =>
  [...outside.forge.pulls.values()].map(({ request }) => `${request.state} ${request.title}`);
const told = (outside: Outside): readonly string[] =>
  [...outside.forge.statuses.values()]
    .filter(({ check }) => check.name === 'capstan/promote')
    .map(({ check }) => `${check.state} ${check.detail}`);

const risky = (risk: string) => (text: string) => text.replace('risk: low', `risk: ${risk}`);
const tagged = (text: string): string => text.replace(/web@sha256:[0-9a-f]+/, 'web:1.1.0');
const secret = (text: string): string => `${text}  security:\n    dataClassification: confidential\n`;
const limited = (to: string) => (text: string) => `${text}  dataClassification: ${to}\n`;

test('V-31: a release with a tag does not reach an environment of risk medium', async () => {
  const outside = await released(risky('medium'), tagged);

  expect(requests(outside)).toEqual(['open promote(dev): web 1.0.0 → 1.1.0']);
  expect(told(outside)).toEqual([expect.stringContaining('images: image "registry.example.com/web:1.1.0" has no digest; dev requires')]);
});

test('V-31 near miss: it reaches one of risk low', async () => {
  expect(requests(await released((text) => text, tagged))).toEqual(['merged promote(dev): web 1.0.0 → 1.1.0']);
});

test('V-57: a release with confidential data does not reach an environment for internal ones', async () => {
  const outside = await released(limited('internal'), secret);

  expect(requests(outside)).toEqual(['open promote(dev): web 1.0.0 → 1.1.0']);
  expect(told(outside)).toEqual([
    expect.stringContaining('classification: web@1.1.0 holds confidential data; dev allows at most internal'),
  ]);
});

test('V-57 near miss: it reaches one for confidential data', async () => {
  expect(requests(await released(limited('confidential'), secret))).toEqual(['merged promote(dev): web 1.0.0 → 1.1.0']);
});
