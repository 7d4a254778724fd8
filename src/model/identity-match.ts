import { findsPattern } from '#model/linear-pattern.ts';
import type { IdentityMatch } from '#model/trust-policy.ts';

/** Exactly, or by a pattern that must match all of it; what is no pattern matches nothing, and an empty one is no pattern. */
export function matchesIdentity(match: IdentityMatch, identity: string): boolean {
  if (identity === '') return false;
  switch (match.kind) {
    case 'exact':
      return match.identity === identity;
    case 'pattern':
      // The group alone must be a pattern: `a)|(b` would leave the anchors outside.
      return (
        match.pattern !== '' &&
        findsPattern(match.pattern, '') !== undefined &&
        !identity.includes('\n') &&
        findsPattern(String.raw`\A(?:${match.pattern})\z`, identity) === true
      );
  }
}
