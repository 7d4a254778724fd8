import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import type { Policy } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { toBlobId } from '#model/digest.ts';
import { compilePolicy, judge, policyInputs } from '#policy/compiled.ts';
import { checkPolicies } from '#policy/policy.ts';

const ROOT = join(import.meta.dirname, '../../policies');
const FILES = readdirSync(ROOT).sort();

function policyIn(file: string): Declared<Policy> {
  const value = parse(readFileSync(join(ROOT, file), 'utf8')) as Policy;
  return { value, file, blob: toBlobId('c'.repeat(40)), at: (pointer) => ({ file, line: 1, column: 1, pointer }) };
}

test('the packs are there', () => {
  expect(FILES).toEqual([
    'least-privilege.yaml',
    'naming-and-labels.yaml',
    'no-privileged-containers.yaml',
    'pod-security-baseline.yaml',
    'pod-security-restricted.yaml',
    'require-digests.yaml',
    'two-person-change.yaml',
  ]);
});

describe.each(FILES)('%s', (file) => {
  test('holds its own tests and has nothing that V-90 would say', () => {
    expect(checkPolicies([policyIn(file)])).toEqual([]);
  });

  test('has a test that notices when any of its validations is missing, and none that is denied by an error', () => {
    const { value } = policyIn(file);
    const { tests = [], validations } = value.spec;
    const compiled = compilePolicy(value);
    const found = tests.map((one) => judge(compiled, policyInputs(one.input, undefined)));
    const alone = new Set(found.flatMap((violations) => (violations.length === 1 ? violations.map((one) => one.pointer) : [])));

    expect(found.flat().filter((one) => one.message.includes('could not be evaluated'))).toEqual([]);
    expect(validations.map((_, at) => `/spec/validations/${at}`).filter((pointer) => !alone.has(pointer))).toEqual([]);
  });
});
