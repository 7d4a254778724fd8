import type { Problem } from '#model/problem.ts';
import type { Declarations } from './reading.ts';
import type { World } from './world.ts';

/** The project declares one branch and this Capstan reads another: then one of the two answers for versions that the other never saw. */
export function differingBranch(declarations: Declarations, { branch }: Pick<World['settings'], 'branch'>): Problem | undefined {
  const { project } = declarations.state;
  const declared = project?.value.spec.branches?.default;
  if (project === undefined || declared === undefined || declared === branch) return undefined;
  return {
    code: 'default-branch-differs',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: `the project declares ${JSON.stringify(declared)} as its default branch, but Capstan is configured for ${JSON.stringify(branch)}`,
    remedy: `Set repository.branch in the configuration (capstan.yaml) to the branch that is declared and released from, or correct spec.branches.default.`,
    place: project.at('/spec/branches/default'),
    related: [],
  };
}
