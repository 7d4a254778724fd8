import type { Capsule, CapsuleComponent } from '#model/declarations.generated.ts';

const ENDING: ReadonlySet<CapsuleComponent['kind']> = new Set([
  'Job',
  'Terraform',
  'Pulumi',
  'CloudFormation',
  'Arm',
  'Ansible',
  'Puppet',
  'Chef',
  'Salt',
  'Exec',
]);

/** Whether some component of a capsule runs to an end, so that one can wait for it (V-30). */
export function comesToAnEnd({ spec }: Capsule): boolean {
  return Object.values(spec.components ?? {}).some(({ kind }) => ENDING.has(kind));
}
