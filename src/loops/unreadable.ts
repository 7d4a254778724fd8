import type { Problem } from '#model/problem.ts';
import type { Declarations } from './reading.ts';
import type { ReadingWorld } from './world.ts';

/** A capsule that is there and cannot be read is not missing: what is wrong with its files is told instead. */
export async function withUnreadable(
  { reading }: Pick<ReadingWorld, 'reading'>,
  { capsuleTrees }: Pick<Declarations, 'capsuleTrees'>,
  problems: readonly Problem[],
): Promise<readonly Problem[]> {
  const named = new Set(problems.flatMap((problem) => missingCapsule(problem) ?? []));
  const there = [...capsuleTrees].filter(([name]) => named.has(name)).map(([name, tree]) => ({ name, tree }));
  if (there.length === 0) return problems;
  const loaded = await reading.capsules(there);
  const unreadable = new Map(
    there.flatMap(({ name }, at) => {
      const errors = loaded[at]?.source === undefined ? loaded[at]?.problems.filter(({ severity }) => severity === 'error') : undefined;
      return errors === undefined || errors.length === 0 ? [] : [[name as string, errors] as const];
    }),
  );
  return [...new Set(problems.flatMap((problem) => unreadable.get(missingCapsule(problem) ?? '') ?? [problem]))];
}

/** The capsule that a problem calls missing. */
export function missingCapsule({ code, message }: Problem): string | undefined {
  return code === 'unknown-capsule' ? /"([^"]*)"/u.exec(message)?.[1] : undefined;
}
