import type { Capsule } from '#model/declarations.generated.ts';
import type { Problem } from '#model/problem.ts';

export interface CheckedCapsule {
  readonly declaration: Capsule;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly directory: string;
}

export function checkTemplates(_capsule: CheckedCapsule): readonly Problem[] {
  return [];
}
