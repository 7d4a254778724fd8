import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';

const HOW_REACHED = ['path', 'credentials', 'impersonate', 'cluster', 'fleet'] as const;

interface Reached {
  readonly needs: 'path' | 'credentials';
  readonly takes: readonly string[];
  readonly remedy: string;
}

const BY_CREDENTIALS: Reached = {
  needs: 'credentials',
  takes: ['credentials', 'impersonate'],
  remedy: 'Add credentials: the name of an entry under credentials in the configuration of the service (capstan.yaml).',
};
const BY_TOOL: Reached = { ...BY_CREDENTIALS, takes: [...BY_CREDENTIALS.takes, 'cluster'] };

/** Of the drivers that this version delivers by; others are refused by their name. */
const DRIVERS: ReadonlyMap<string, Reached> = new Map([
  ['directory', { needs: 'path', takes: ['path'], remedy: 'Add path, below the root of directory targets.' }],
  ['kubernetes', BY_CREDENTIALS],
  ['delegate-argocd', BY_TOOL],
  ['delegate-flux', BY_TOOL],
]);

/** A target says how its driver reaches it, and nothing that its driver would not look at. */
export function targetFieldProblems(context: RuleContext): readonly Problem[] {
  return context.state.environments.flatMap((environment) => environment.targets.flatMap((target) => problemsOf(environment, target)));
}

function problemsOf(environment: DesiredEnvironment, target: DesiredEnvironment['targets'][number]): readonly Problem[] {
  const isDelegated = target.value.driver === 'kubernetes' && environment.declared.value.spec.sync?.mode === 'delegate';
  const driver = isDelegated ? BY_TOOL : DRIVERS.get(target.value.driver);
  if (driver === undefined) return [];
  const name = `target ${quoted(target.name)} of ${environment.name} has driver ${target.value.driver}`;
  const { needs, takes, remedy } = driver;
  const missing =
    target.value[needs] === undefined
      ? [problemOf({ code: 'target-incomplete', place: target.at('/driver'), message: `${name} and no ${needs}`, remedy })]
      : [];
  const unused = HOW_REACHED.filter((field) => target.value[field] !== undefined && !takes.includes(field)).map((field) =>
    problemOf({
      code: 'target-field-unused',
      place: target.at(`/${field}`),
      message: `${name}, which does not look at ${field}`,
      remedy: `Remove ${field}, or name the driver that it is for.`,
    }),
  );
  return [...missing, ...unused];
}
