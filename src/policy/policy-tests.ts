import type { Policy } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { CompiledPolicy } from './compiled.ts';
import { compilePolicy, judge } from './compiled.ts';

export function checkPolicy(policy: Declared<Policy>): readonly Problem[] {
  const compiled = compilePolicy(policy.value);
  const mistakes = expressionMistakes(policy, compiled);
  return mistakes.length > 0 ? mistakes : [...missingTests(policy), ...failedTests(policy, compiled)];
}

function expressionMistakes(policy: Declared<Policy>, compiled: CompiledPolicy): readonly Problem[] {
  const at = (pointer: string, message: string): Problem => problem(policy, pointer, { message, remedy: 'Correct the expression.' });
  const variables = compiled.variables.flatMap(({ name, expression }, index) =>
    expression.ok ? [] : [at(`/spec/variables/${index}/expression`, `variable ${name}: ${expression.message}`)],
  );
  const validations = compiled.validations.flatMap(({ expression, messageExpression }, index) => [
    ...(expression.ok ? [] : [at(`/spec/validations/${index}/expression`, expression.message)]),
    ...(messageExpression === undefined || messageExpression.ok
      ? []
      : [at(`/spec/validations/${index}/messageExpression`, messageExpression.message)]),
  ]);
  return [...variables, ...validations];
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
    const violations = judge(compiled, test.input);
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
