import { parseDuration, toInstant, type Instant } from '#model/instant.ts';
import { compareText } from '#model/problem.ts';
import type { GateReading, Review } from '#model/promotion.ts';
import type { GateEvidence } from './gates.ts';

export interface ApprovalRule {
  readonly required: number;
  readonly teams?: readonly string[] | undefined;
  readonly separationOfDuties?: boolean | undefined;
  readonly expiresAfter?: string | undefined;
}

/**
 * Reviews that count: of the present head, by somebody who wrote nothing of it. Who wrote the releases that it moves may not approve them
 * either, unless the rule says `separationOfDuties: false`.
 */
export function readApproval(name: string, rule: ApprovalRule, evidence: GateEvidence, at: Instant): GateReading {
  const reading = (status: GateReading['status'], detail: string, until?: Instant): GateReading => ({
    name,
    type: 'approval',
    status,
    detail,
    until,
  });
  const lifetime = rule.expiresAfter === undefined ? undefined : parseDuration(rule.expiresAfter);
  if (rule.expiresAfter !== undefined && lifetime === undefined) return reading('inconclusive', `"${rule.expiresAfter}" is not a duration`);
  const counted: string[] = [];
  const notes: string[] = [];
  let unknown = false;
  for (const review of lastWords(evidence.reviews)) {
    const { reviewer } = review;
    if (review.state === 'changes-requested') {
      if (!isAuthor(reviewer, evidence.authors)) return reading('waiting', `${reviewer} asks for changes`);
      continue;
    }
    if (review.state !== 'approved') continue;
    const against =
      objection(review, rule, evidence) ?? (lifetime !== undefined && toInstant(review.at + lifetime) <= at ? 'has expired' : undefined);
    if (against !== undefined) {
      notes.push(`approval by ${reviewer} does not count: ${against}`);
      continue;
    }
    const memberships = (rule.teams ?? []).map((team) => evidence.isMember(reviewer, team));
    if (memberships.length === 0 || memberships.includes(true)) counted.push(reviewer);
    else if (memberships.includes(undefined)) unknown = true;
    else notes.push(`approval by ${reviewer} does not count: not in ${(rule.teams ?? []).join(', ')}`);
  }
  const names = counted.length === 0 ? '' : `${counted.join(', ')} approved; `;
  const detail = [`${names}${counted.length} of ${rule.required}`, ...notes].join('; ');
  if (counted.length >= rule.required) return reading('passed', detail);
  return unknown ? reading('inconclusive', `${detail}; a team could not be looked up`) : reading('waiting', detail);
}

function objection(review: Review, rule: ApprovalRule, evidence: GateEvidence): string | undefined {
  const { reviewer, commit } = review;
  if (isAuthor(reviewer, evidence.authors)) return `${reviewer} authored the change`;
  if (rule.separationOfDuties !== false && isAuthor(reviewer, evidence.releaseAuthors)) return `${reviewer} authored the release`;
  if (commit === undefined || !evidence.heads.includes(commit)) return 'it is of another commit';
  return undefined;
}

/** Logins are the same in any case. */
function isAuthor(login: string, authors: ReadonlySet<string>): boolean {
  return [...authors].some((author) => author.toLowerCase() === login.toLowerCase());
}

/** Per reviewer the last review that takes a stand; comments do not take one back. */
function lastWords(reviews: readonly Review[]): readonly Review[] {
  const last = new Map<string, Review>();
  for (const review of [...reviews].sort((a, b) => a.at - b.at)) {
    if (review.state !== 'commented') last.set(review.reviewer.toLowerCase(), review);
  }
  return [...last.values()].sort((a, b) => compareText(a.reviewer, b.reviewer));
}
