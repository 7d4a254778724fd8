import { instantText, toInstant } from '#model/instant.ts';
import { NOWHERE, placeInFile } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import { endOf, isGoodAt } from '#trust/trust.ts';
import type { Finding } from './doctor-finding.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

/** Time enough to give an engine its next key. */
const SOON = 7 * 24 * 60 * 60 * 1000;

/** Entries of the engine that asks; none where the project does not know it, which `doctor` says. */
function ownEntries(publicKey: string, trust: TrustOf): readonly AllowedSigner[] {
  return trust.engines.filter(({ credential }) => credential.kind === 'ssh-key' && credential.key === publicKey);
}

/** An engine whose key has ended writes nothing: a lock that it changed would stop its environment until a person signs. */
export function endedKey({ clock }: Pick<World, 'clock'>, trust: TrustOf, publicKey: string): Problem | undefined {
  const own = ownEntries(publicKey, trust);
  const [first] = own;
  if (first === undefined || own.some((entry) => isGoodAt(entry, clock.now()))) return undefined;
  return {
    code: 'signing-key-ended',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `the key of this engine, ${first.name}, is not valid now (${first.validFrom ?? ''} to ${first.validUntil ?? ''}): nothing that it signed would count`,
    remedy:
      'Name the key that follows it in identity.signingKey and restart; where there is none, let somebody who may sign declarations add one.',
    place: first.place.file === undefined ? NOWHERE : placeInFile(first.place.file),
    related: [],
  };
}

/** What `doctor` says of the key: known, and for how long. */
export function keyFinding(world: Pick<World, 'clock'>, trust: TrustOf, publicKey: string): Finding {
  const subject = 'engine key';
  const own = ownEntries(publicKey, trust);
  const now = world.clock.now();
  if (own.length === 0)
    return {
      subject,
      state: 'warning',
      detail: 'no trust entry is for this engine, so `verify` will not accept what it signs',
      remedy: `Add to spec.trust in environments/project.yaml: { name: engine, sshKey: "${publicKey}", for: [engine] }`,
    };
  const good = own.filter((entry) => isGoodAt(entry, now));
  const ended = endedKey(world, trust, publicKey);
  if (ended !== undefined) return { subject, state: 'failed', detail: ended.message, remedy: ended.remedy };
  const ends = good.map((entry) => endOf(entry) ?? Number.POSITIVE_INFINITY);
  const last = Math.max(...ends);
  if (last - now > SOON) return { subject, state: 'ok', detail: 'stands in spec.trust', remedy: undefined };
  const detail = `ends at ${instantText(toInstant(last))}, and nothing that it signs afterwards counts`;
  return {
    subject,
    state: 'warning',
    detail,
    remedy: 'Name the key that follows it in identity.signingKey and restart, or make one: capstan identity rotate.',
  };
}
