import type { RuleContext } from '#desired/facts.ts';
import { type Finding, problemOf } from '#desired/finding.ts';
import { healthExpressionMistake } from '#model/health-expression.ts';
import type { Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';

const QUESTIONS = ['current', 'inProgress', 'failed'] as const;

/** Health expressions of every capsule can be judged, and say when an object is as it should be. */
export function healthExpressionProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap(({ declared }) =>
    (declared.value.spec.health?.expressions ?? []).flatMap((expressions, at): readonly Problem[] => {
      const pointer = `/spec/health/expressions/${at}`;
      const what = visibleText(`${expressions.apiVersion} ${expressions.kind}`, 120);
      const found = QUESTIONS.flatMap((question): readonly Finding[] => {
        const text = expressions[question];
        const mistake = text === undefined ? undefined : healthExpressionMistake(text);
        if (mistake === undefined) return [];
        return [
          {
            code: 'health-expression-invalid',
            place: declared.at(`${pointer}/${question}`),
            message: `health expression "${question}" of ${what}: ${mistake}`,
            remedy: 'Write a CEL expression over apiVersion, kind, metadata, spec and status that gives true or false.',
          },
        ];
      });
      if (expressions.current !== undefined) return found.map(problemOf);
      const never: Finding = {
        code: 'health-expression-invalid',
        place: declared.at(pointer),
        message: `health expressions of ${what} do not say when an object is current, so none would ever be healthy`,
        remedy: 'Add `current`, for example: status.conditions.exists(c, c.type == "Ready" && c.status == "True").',
      };
      return [...found, never].map(problemOf);
    }),
  );
}
