import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { openKubernetes } from '#model/kubernetes-shapes.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { customKinds, judgeObject } from '#render/render.ts';
import { kubernetesTexts } from '#test/render/kubernetes-texts.ts';

const API = openKubernetes(kubernetesTexts(), '1.35');
const CASES = readdirSync(import.meta.dirname).filter((name) => existsSync(join(import.meta.dirname, name, 'expected')));

/** Every object that the case expects, with where it stands. */
function expectedObjects(name: string): readonly (readonly [string, KubernetesObject])[] {
  const folder = join(import.meta.dirname, name, 'expected');
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.name.endsWith('.yaml'));
  return paths.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const read = readKubernetesYaml(readFileSync(path, 'utf8'), path);
    if (!read.ok) throw new Error(`${path} cannot be read`);
    return read.value.map(({ value }) => [path.slice(folder.length + 1), value as KubernetesObject] as const);
  });
}

test.each(CASES)('Kubernetes has nothing against what is rendered of %s', (name) => {
  const objects = expectedObjects(name);
  const found = objects.flatMap(([path, object]) => {
    const judgement = judgeObject(API, customKinds([]), object);
    return judgement.kind === 'unknown'
      ? []
      : judgement.findings.map(({ code, pointer, message }) => `${path}: ${code} ${pointer} ${message}`);
  });

  expect(objects.length).toBeGreaterThan(0);
  expect(found).toEqual([]);
});
