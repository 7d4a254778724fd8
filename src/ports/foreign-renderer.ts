import type { ForeignAnswer, ForeignRequest } from '#model/foreign.ts';

/**
 * Runs a foreign program that turns files into objects: without network, under limits of time, memory and output, in a folder of its own
 * that is gone afterwards. What a chart does wrong is an answer; PortError only where this machine could not start or feed the program.
 */
export interface ForeignRenderer {
  render(request: ForeignRequest, signal?: AbortSignal): Promise<ForeignAnswer>;
  /** Programs started, for the counting tests. */
  counts(): { readonly runs: number };
}
