import type { Powers } from '#cli/powers.ts';

function never(): Promise<never> {
  return Promise.reject(new Error('not lent'));
}

/** Lends nothing; a test of a command spreads it and lends what the command may have. */
export const NO_POWERS: Powers = {
  openWorld: never,
  openSigner: never,
  serve: never,
  forge: never,
  addForgeUser: never,
  initRepository: never,
  openKey: never,
  openClone: never,
  openCluster: never,
  openLayouts: never,
  openBundles: never,
  openCosignKey: never,
  openRegistry: never,
  trustedRoot: never,
};
