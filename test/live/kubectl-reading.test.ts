import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { Json } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';

/** Stock kubectl's reading of a `spec`; nothing is sent anywhere. */
function kubectl(spec: string): Json {
  const directory = mkdtempSync(join(tmpdir(), 'kubectl-'));
  try {
    const file = join(directory, 'x.yaml');
    writeFileSync(file, `apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n${spec}`);
    const read = JSON.parse(execFileSync('kubectl', ['label', '--local', '-f', file, '-o', 'json', 'a=b'], { encoding: 'utf8' })) as Json;
    return isJsonObject(read) ? (read['spec'] ?? null) : null;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function ours(spec: string): Json {
  const read = readKubernetesYaml(spec, 'x.yaml');
  const value = read.ok ? read.value[0]?.value : undefined;
  return isJsonObject(value) ? (value['spec'] ?? null) : null;
}

it('reads plain scalars as stock kubectl does', () => {
  const piece = fc.constantFrom(
    '0',
    '1',
    '7',
    '9',
    '_',
    '.',
    'e',
    'E',
    '+',
    '-',
    'x',
    'b',
    'o',
    'y',
    'n',
    'a',
    'F',
    ':',
    'no',
    'on',
    'null',
    '~',
    '00',
    '2026-01-02',
    'T',
    'inf',
  );
  const scalar = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
  const texts = fc.sample(scalar, { numRuns: 3000, seed: 7 });
  const readable = texts.filter((text) => {
    const read = readKubernetesYaml(`spec:\n  k: ${text}\n`, 'x.yaml');
    return read.ok && !/^-|: |:$/.test(text);
  });
  const spec = `spec:\n${readable.map((text, at) => `  k${at}: ${text}\n`).join('')}`;

  expect(readable.length).toBeGreaterThan(1500);
  expect(ours(spec)).toEqual(kubectl(spec));
});

it('writes texts that stock kubectl reads back', () => {
  const unit = fc.constantFrom(
    'a',
    ' ',
    '\n',
    ':',
    '#',
    '1',
    '\t',
    '-',
    '"',
    "'",
    'é',
    '😀',
    '\u2028',
    '\u0085',
    '\u0007',
    '|',
    '>',
    '\\',
    '\r',
  );
  const texts = fc.sample(fc.oneof(fc.string({ unit }), fc.string({ unit: 'grapheme' })), { numRuns: 3000, seed: 11 });
  const spec: Json = { spec: Object.fromEntries(texts.map((text, at) => [`k${at}`, { text, list: [text, { [`${text}!`]: text }] }])) };

  expect(kubectl(writeKubernetesYaml(spec))).toEqual(spec['spec']);
});
