import type { RuleContext } from '#desired/facts.ts';
import { problemOf, type Finding } from '#desired/finding.ts';
import type { CapsuleComponent } from '#model/declarations.generated.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { parseQuantity } from '#model/quantity.ts';
import { visibleText } from '#model/quoted.ts';

interface Component {
  readonly name: string;
  readonly declared: CapsuleComponent;
  readonly at: (pointer: string) => Place;
}

/** V-32 to V-37: what a component asks for and how it scales do not contradict each other. */
export function resourceProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) =>
    Object.entries(capsule.declared.value.spec.components ?? {}).flatMap(([name, declared]) => {
      const base = `/spec/components${pointerToken(name)}`;
      const component: Component = { name, declared, at: (pointer) => capsule.declared.at(`${base}${pointer}`) };
      return [...cpu(component), ...memory(component), ...scaling(component)].map(problemOf);
    }),
  );
}

/** V-32. */
function cpu({ name, declared, at }: Component): readonly Finding[] {
  const { request, limit, burst } = declared.resources?.cpu ?? {};
  const given = [request, limit, burst].filter((value) => value !== undefined);
  const amounts = given.map(parseQuantity);
  const isRising = amounts.every((amount, index) => {
    const before = amounts[index - 1];
    return amount === undefined || before === undefined || before <= amount;
  });
  if (isRising) return [];
  const shown = [
    ...(request === undefined ? [] : [`request ${text(request)}`]),
    ...(limit === undefined ? [] : [`limit ${text(limit)}`]),
    ...(burst === undefined ? [] : [`burst ${text(burst)}`]),
  ].join(' ≤ ');
  return [
    {
      code: 'cpu-out-of-order',
      rule: 'V-32',
      place: at('/resources/cpu'),
      message: `component ${name}: cpu ${shown} does not hold`,
      remedy: 'Lower what comes first, or raise what follows.',
    },
  ];
}

/** V-33. */
function memory({ name, declared, at }: Component): readonly Finding[] {
  const { request, limit, buffer } = declared.resources?.memory ?? {};
  const most = limit === undefined ? undefined : parseQuantity(limit);
  const wanted = request === undefined ? undefined : parseQuantity(request);
  const spare = parseQuantity(buffer ?? 0) ?? 0n;
  if (most === undefined || wanted === undefined || wanted + spare <= most) return [];
  return [
    {
      code: 'memory-over-limit',
      rule: 'V-33',
      place: at('/resources/memory'),
      message: `component ${name}: memory request ${text(request)} + buffer ${text(buffer ?? 0)} exceeds limit ${text(limit)}`,
      remedy: 'Raise the limit, or lower request or buffer.',
    },
  ];
}

/** V-34 to V-37. */
function scaling({ declared, at }: Component): readonly Finding[] {
  const { horizontal, replicas, vertical } = declared.scaling ?? {};
  if (horizontal === undefined) return [];
  const findings: Finding[] = [];
  const { min, max, buffer, metrics = [] } = horizontal;
  if (min > max)
    findings.push({
      code: 'scaling-range',
      rule: 'V-34',
      place: at('/scaling/horizontal/min'),
      message: `horizontal scaling min ${min} exceeds max ${max}`,
      remedy: 'Lower min, or raise max.',
    });
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(buffer ?? '0%')?.[1];
  if (percent === undefined || Number(percent) > 100)
    findings.push({
      code: 'scaling-range',
      rule: 'V-34',
      place: at('/scaling/horizontal/buffer'),
      message: `horizontal scaling buffer ${visibleText(buffer ?? '', 40)} is not between 0% and 100%`,
      remedy: 'Write a percentage such as 20%.',
    });
  for (const [index, { resource }] of metrics.entries()) {
    const place = at(`/scaling/horizontal/metrics/${index}/resource`);
    if (declared.resources?.[resource]?.request === undefined)
      findings.push({
        code: 'scaling-needs-request',
        rule: 'V-35',
        place,
        message: `HPA on ${resource} utilization needs resources.${resource}.request`,
        remedy: `Add resources.${resource}.request: utilization is a share of it.`,
      });
    if (vertical?.mode === 'auto')
      findings.push({
        code: 'scaling-contradicts',
        rule: 'V-37',
        place,
        message: `vertical.mode auto and a horizontal ${resource} metric fight each other`,
        remedy: 'Use vertical.mode initial or off, or another metric.',
      });
  }
  if (replicas !== undefined)
    findings.push({
      code: 'replicas-ignored',
      rule: 'V-36',
      severity: 'warning',
      place: at('/scaling/replicas'),
      message: 'replicas is ignored because horizontal scaling is on',
      remedy: 'Take it out; horizontal.min is where it begins.',
    });
  return findings;
}

function text(value: string | number | undefined): string {
  return visibleText(String(value), 40);
}
