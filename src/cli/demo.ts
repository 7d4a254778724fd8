import type { Invocation } from './cli.ts';

export async function demo(_invocation: Invocation): Promise<number> {
  return 1;
}
