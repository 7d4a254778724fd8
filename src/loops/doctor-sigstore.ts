import type { Instant } from '#model/instant.ts';
import { durationText, instantText, toInstant } from '#model/instant.ts';
import type { TrustedRootReading, TrustedWitness } from '#model/trusted-root.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Finding } from './doctor-finding.ts';
import { trustMaterial } from './trust-material.ts';
import type { World } from './world.ts';

const SUBJECT = 'sigstore root';
const RENEW = 'Renew trusted_root.json where Project.spec.sigstore or trust.sigstore of the configuration names it.';
const EARLY = 30 * 86_400_000;
/** Without one of each no keyless signature is accepted; a timestamp authority is needed only where a log gives no time. */
const NEEDED = {
  'certificate-authority': 'certificate authority',
  'certificate-log': 'certificate log',
  'signature-log': 'signature log',
} as const satisfies Partial<Record<TrustedWitness['kind'], string>>;

/** Whether keyless signatures can be judged here, now and a month from now. Says nothing where nobody signs keyless. */
export async function lookAtSigstore(world: World): Promise<readonly Finding[]> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined) return [];
  try {
    const { trust } = await world.history.upTo(main);
    const { credentials, trustedRoot } = await trustMaterial(world, trust);
    if (trustedRoot !== undefined) return [rootFinding((await world.bundles()).readRoot(trustedRoot), world.clock.now())];
    if (!credentials.some(({ kind }) => kind === 'keyless')) return [];
    const remedy = 'Name trusted_root.json in Project.spec.sigstore, or in trust.sigstore of the configuration.';
    return [{ subject: SUBJECT, state: 'failed', detail: 'trust entries name keyless identities, and no trusted root is known', remedy }];
  } catch (error) {
    if (!isPortError(error)) throw error;
    return [{ subject: SUBJECT, state: 'failed', detail: error.message, remedy: RENEW }];
  }
}

/** What a trusted root is good for at a time. */
export function rootFinding(read: TrustedRootReading, at: Instant): Finding {
  if (!read.ok) {
    const detail = read.mistakes.map(({ pointer, reason }) => `${pointer || 'it'} ${reason}`).join('; ');
    return { subject: SUBJECT, state: 'failed', detail, remedy: RENEW };
  }
  const ends = Object.entries(NEEDED).map(([kind, words]) => ({
    words,
    until: lastEnd(
      read.witnesses.filter((one) => one.kind === kind),
      at,
    ),
  }));
  const gone = ends.filter(({ until }) => until <= at).map(({ words }) => words);
  if (gone.length > 0)
    return { subject: SUBJECT, state: 'failed', detail: `has no ${gone.join(' and no ')} that is trusted now`, remedy: RENEW };
  const [first] = ends.sort((a, b) => a.until - b.until);
  if (first === undefined || first.until === Number.POSITIVE_INFINITY)
    return { subject: SUBJECT, state: 'ok', detail: `${read.witnesses.length} authorities and logs, without an end`, remedy: undefined };
  const words = `the last ${first.words} is trusted until ${instantText(first.until)}`;
  return first.until - at < EARLY
    ? { subject: SUBJECT, state: 'warning', detail: `${words}, for ${durationText(first.until - at)}`, remedy: RENEW }
    : { subject: SUBJECT, state: 'ok', detail: `${read.witnesses.length} authorities and logs; ${words}`, remedy: undefined };
}

/** Of those trusted now, the end of the last; in the past where none is. */
function lastEnd(witnesses: readonly TrustedWitness[], at: Instant): Instant {
  const ends = witnesses.filter(({ from }) => from <= at).map(({ until }) => until ?? Number.POSITIVE_INFINITY);
  return toInstant(Math.max(Number.NEGATIVE_INFINITY, ...ends));
}
