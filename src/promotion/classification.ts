import type { Capsule } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Place, Problem } from '#model/problem.ts';

const CLASSES = ['public', 'internal', 'confidential', 'restricted'] as const;
type Classification = (typeof CLASSES)[number];

/** A capsule in the version that would arrive. */
export interface ArrivingCapsule {
  readonly instance: string;
  readonly capsule: string;
  readonly version: string;
  readonly spec: Capsule['spec'];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * V-57: data go only where they may. A target says what it may hold with the fact `dataClassification`; without encryption at rest
 * (`encryptionAtRest: false`) it holds nothing above internal. What nobody declares is not limited.
 */
export function classificationProblems(environment: DesiredEnvironment, arriving: readonly ArrivingCapsule[]): readonly Problem[] {
  const allowed = environment.declared.value.spec.dataClassification;
  const problems: Problem[] = [];
  for (const { capsule, version, spec } of arriving) {
    const holds = classOf(spec);
    if (holds !== undefined && allowed !== undefined && isAbove(holds, allowed))
      problems.push(
        problem(
          environment.declared.at('/spec/dataClassification'),
          `${capsule}@${version} holds ${holds} data; ${environment.name} allows at most ${allowed}`,
        ),
      );
  }
  const highest = highestOf([allowed, ...arriving.map(({ spec }) => classOf(spec))]);
  // A target that cannot hold what the environment allows is one mistake, whatever arrives.
  const wanted = allowed ?? highest;
  for (const target of environment.targets) {
    const { limit, fact } = limitOf(target.value.facts);
    if (wanted === undefined || limit === undefined || !isAbove(wanted, limit)) continue;
    problems.push(
      problem(
        target.at(`/facts/${fact}`),
        `${environment.name} allows ${wanted} data; target ${target.name} holds at most ${limit}${fact === 'encryptionAtRest' ? ' without encryption at rest' : ''}`,
      ),
    );
  }
  return problems;
}

/** Of the capsule itself and of everything that it reads. */
function classOf(spec: Capsule['spec']): Classification | undefined {
  return highestOf([spec.security?.dataClassification, ...Object.values(spec.dataSources ?? {}).map((source) => source.classification)]);
}

function highestOf(classes: readonly (Classification | undefined)[]): Classification | undefined {
  const known = classes.flatMap((one) => one ?? []);
  return CLASSES.findLast((one) => known.includes(one));
}

function isAbove(one: Classification, other: Classification): boolean {
  return CLASSES.indexOf(one) > CLASSES.indexOf(other);
}

type Facts = DesiredEnvironment['targets'][number]['value']['facts'];

function limitOf(facts: Facts): { readonly limit: Classification | undefined; readonly fact: string } {
  const declared = CLASSES.find((one) => one === facts?.['dataClassification']);
  if (facts?.['encryptionAtRest'] === false && (declared === undefined || isAbove(declared, 'internal')))
    return { limit: 'internal', fact: 'encryptionAtRest' };
  return { limit: declared, fact: 'dataClassification' };
}

function problem(place: Place, message: string): Problem {
  return {
    code: 'classification-exceeded',
    rule: 'V-57',
    severity: 'error',
    phase: 'promote',
    message,
    remedy: 'Keep the capsule out, or let the environment and its targets hold such data.',
    place,
    related: [],
  };
}
