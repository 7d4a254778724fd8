import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { type Instant, parseInstant } from '#model/instant.ts';
import type { Problem } from '#model/problem.ts';
import { parseSshPublicKey, sshPublicKeyText } from '#model/ssh-key.ts';
import type { AllowedSigner, TrustPurpose } from '#model/verdict.ts';

export interface Signers {
  readonly signers: readonly AllowedSigner[];
  readonly problems: readonly Problem[];
}

export function readSigners(project: Declared<Project> | undefined): Signers {
  const signers: AllowedSigner[] = [];
  const problems: Problem[] = [];
  for (const [index, entry] of (project?.value.spec.trust ?? []).entries()) {
    if (project === undefined || entry.sshKey === undefined) continue;
    const place = project.at(`/spec/trust/${index}/sshKey`);
    const key = parseSshPublicKey(entry.sshKey);
    if (!key.ok) {
      problems.push({
        code: 'unusable-trust-key',
        rule: undefined,
        severity: 'error',
        phase: 'validate',
        message: `trust entry ${entry.name}: the SSH key cannot be used: ${key.reason}`,
        remedy: 'Write the type and the base64 text of the .pub file; use an ed25519, ECDSA or RSA key of at least 2048 bits.',
        place,
        related: [],
      });
      continue;
    }
    signers.push({
      name: entry.name,
      credential: { kind: 'ssh-key', key: sshPublicKeyText(key.value) },
      purposes: entry.for,
      validFrom: entry.validFrom,
      validUntil: entry.validUntil,
      place,
    });
  }
  return { signers, problems };
}

/** Purposes that at least one trust entry names, whatever kind of key it gives. */
export function enforcedPurposes(project: Declared<Project> | undefined): ReadonlySet<TrustPurpose> {
  return new Set((project?.value.spec.trust ?? []).flatMap((entry) => entry.for));
}

/** Both ends count; a date alone means that whole day (UTC); a window that cannot be read is closed. */
export function isInWindow(signer: Window, at: Instant): boolean {
  const { from, until } = windowOf(signer);
  if (signer.validFrom !== undefined && (from === undefined || at < from)) return false;
  return signer.validUntil === undefined || (until !== undefined && at <= until);
}

type Window = { readonly [name in 'validFrom' | 'validUntil']?: string | undefined };

/** The two ends as times; undefined where there is none, or it cannot be read. */
export function windowOf({ validFrom, validUntil }: Window): { readonly from: Instant | undefined; readonly until: Instant | undefined } {
  return {
    from: validFrom === undefined ? undefined : instantOf(validFrom, 'T00:00:00.000Z'),
    until: validUntil === undefined ? undefined : instantOf(validUntil, 'T23:59:59.999Z'),
  };
}

/** A time without a zone would mean another moment on another machine. */
function instantOf(text: string, ofDay: string): Instant | undefined {
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}${ofDay}` : text;
  return /(?:Z|[+-]\d{2}:\d{2})$/.test(whole) ? parseInstant(whole) : undefined;
}
