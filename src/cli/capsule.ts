import { didYouMean } from '#model/suggest.ts';
import { signCapsuleWith, verifyCapsuleAt } from './capsule-signature.ts';
import { packCapsule, pullCapsule, pushCapsule } from './capsule-transfer.ts';
import type { Invocation } from './cli.ts';
import { UsageError } from './exit-code.ts';

const ACTIONS: Readonly<Record<string, (invocation: Invocation) => Promise<number>>> = {
  pack: packCapsule,
  push: pushCapsule,
  pull: pullCapsule,
  sign: signCapsuleWith,
  verify: verifyCapsuleAt,
};

/** Capsules as artifacts: packed, sent, fetched, signed and verified. */
export async function capsule(invocation: Invocation): Promise<number> {
  const [action = '', ...words] = invocation.words;
  const names = Object.keys(ACTIONS);
  const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (run === undefined) throw new UsageError(`there is no "capsule ${action}": ${names.join(', ')}${didYouMean(action, names)}`);
  return run({ ...invocation, words });
}
