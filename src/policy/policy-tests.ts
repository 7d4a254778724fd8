import type { Policy } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import type { Problem } from '#model/problem.ts';
import type { CompiledPolicy } from './compiled.ts';
import { compilePolicy, expressionMistakes, judge, policyInputs } from './compiled.ts';
import type { JudgedOn } from './in-force.ts';
import { isAboutSomething, isActive } from './in-force.ts';

export function checkPolicy(policy: Declared<Policy>): readonly Problem[] {
  const compiled = compilePolicy(policy.value);
  const mistakes = expressionMistakes(compiled).map(({ pointer, message }) =>
    problem(policy, pointer, { message, remedy: 'Correct the expression.' }),
  );
  const declared = [...unanswerable(policy, compiled), ...boundless(policy)];
  return mistakes.length > 0 ? mistakes : [...declared, ...missingTests(policy), ...failedTests(policy, compiled)];
}

/** Exceptions that are over: they let nothing through, and whoever reads the policy should not think so. */
export function lapsedExceptions(policy: Declared<Policy>, at: Instant): readonly Problem[] {
  return (policy.value.spec.exceptions ?? []).flatMap((exception, index) => {
    if (isActive(exception, at)) return [];
    return [
      {
        ...problem(policy, `/spec/exceptions/${index}/until`, {
          message: `exception ${index + 1} ended at ${exception.until} and lets nothing through`,
          remedy: 'Take the exception out, or have it prolonged.',
        }),
        code: 'policy-exception-lapsed',
        rule: undefined,
        severity: 'warning',
      },
    ];
  });
}

/** Where an input has a value. */
const THERE: ReadonlyMap<string, readonly JudgedOn[]> = new Map<string, readonly JudgedOn[]>([
  ['object', ['render', 'reconcile', 'pullRequest']],
  ['oldObject', ['render', 'reconcile', 'pullRequest']],
  ['target', ['render', 'reconcile', 'pullRequest']],
  ['change', ['promotion', 'pullRequest']],
  ['previous', ['promotion']],
  ['lock', ['promotion']],
  ['evidence', ['promotion']],
]);

function unanswerable(policy: Declared<Policy>, { names }: CompiledPolicy): readonly Problem[] {
  const { on } = policy.value.spec;
  return [...names].flatMap((name) => {
    const there = THERE.get(name);
    // What devices are given is not settled in this version.
    if (there === undefined || on.some((point) => point === 'device' || there.includes(point))) return [];
    const message = `names ${name}, which has no value on ${on.join(' or ')} (it has on ${there.join(', ')})`;
    return [problem(policy, '/spec/on', { message, remedy: 'Judge it where the input has a value, or name another.' })];
  });
}

function boundless(policy: Declared<Policy>): readonly Problem[] {
  return (policy.value.spec.exceptions ?? []).flatMap((exception, index) => {
    if (isAboutSomething(exception)) return [];
    const message = `exception ${index + 1} does not say what it is about, and lets nothing through`;
    return [problem(policy, `/spec/exceptions/${index}/match`, { message, remedy: 'Name a change, an environment or a capsule.' })];
  });
}

function missingTests(policy: Declared<Policy>): readonly Problem[] {
  const expected = new Set((policy.value.spec.tests ?? []).map((test) => test.expect));
  const missing = [...(expected.has('allow') ? [] : ['allow']), ...(expected.has('deny') || expected.has('warn') ? [] : ['deny'])];
  if (missing.length === 0) return [];
  const message = `has no test that expects ${missing.join(' and none that expects ')}`;
  return [
    problem(policy, '/spec/tests', { message, remedy: 'Add a test for each verdict, so that a change of the expression is noticed.' }),
  ];
}

/** `match` is not applied: the input is what the test says. */
function failedTests(policy: Declared<Policy>, compiled: CompiledPolicy): readonly Problem[] {
  const verdict = policy.value.spec.enforcement === 'warn' ? 'warn' : 'deny';
  return (policy.value.spec.tests ?? []).flatMap((test, index) => {
    const violations = judge(compiled, policyInputs(test.input, undefined));
    const got = violations.length === 0 ? 'allow' : verdict;
    if (got === test.expect || (got !== 'allow' && test.expect !== 'allow')) return [];
    const why = violations[0] === undefined ? '' : ` (${violations[0].message})`;
    return [
      problem(policy, `/spec/tests/${index}`, {
        message: `test ${JSON.stringify(test.name)} expected ${test.expect}, got ${got}${why}`,
        remedy: 'Correct the expression or the test.',
      }),
    ];
  });
}

function problem(policy: Declared<Policy>, pointer: string, words: { readonly message: string; readonly remedy: string }): Problem {
  return {
    code: 'policy-invalid',
    rule: 'V-90',
    severity: 'error',
    phase: 'validate',
    message: `policy ${policy.value.metadata.name}: ${words.message}`,
    remedy: words.remedy,
    place: policy.at(pointer),
    related: [],
  };
}
