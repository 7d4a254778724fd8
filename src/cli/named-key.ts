import type { TrustPurpose } from '#model/verdict.ts';
import type { OpenedWorld } from './powers.ts';
import { headOf } from './repository.ts';

/** True if the project's accepted policy names this public key (digest of its SubjectPublicKeyInfo, hex) for the purpose. */
export async function isKeyFor(world: OpenedWorld, purpose: TrustPurpose, spkiSha256: string): Promise<boolean> {
  const { policy } = (await world.history.upTo(await headOf(world))).trust;
  return (policy?.entries ?? []).some(
    ({ credential, purposes }) =>
      purposes.includes(purpose) &&
      (credential.kind === 'public-key' || credential.kind === 'ssh-key') &&
      credential.spkiSha256 === spkiSha256,
  );
}
