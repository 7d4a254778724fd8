import { parseDuration, toInstant, type Instant } from '#model/instant.ts';
import { compareText, NOWHERE, type Problem } from '#model/problem.ts';
import type { GateReading, Review } from '#model/promotion.ts';
import type { GateEvidence } from './gates.ts';

export interface ApprovalRule {
  readonly required: number;
  readonly teams?: readonly string[] | undefined;
  readonly separationOfDuties?: boolean | undefined;
  readonly expiresAfter?: string | undefined;
  /** Only approvals that the person signed with a key of their own count. */
  readonly signed?: boolean | undefined;
}

export interface ApprovalVerdict {
  /** Who approved, and may. */
  readonly counted: readonly string[];
  /** V-85: approvals that do not count, and why. */
  readonly refused: readonly Problem[];
  /** Somebody whose word would count asks for changes. */
  readonly against: string | undefined;
  /** A team could not be looked up. */
  readonly isOpen: boolean;
}

/**
 * Reviews that count: of the present head, by somebody who wrote nothing of it. Who wrote the releases that it moves may not approve them
 * either, unless the rule says `separationOfDuties: false`.
 */
export function judgeApprovals(
  rule: Omit<ApprovalRule, 'required'>,
  evidence: Pick<GateEvidence, 'reviews' | 'authors' | 'releaseAuthors' | 'heads' | 'isMember' | 'signedApprovals'>,
  at: Instant,
): ApprovalVerdict {
  const lifetime = rule.expiresAfter === undefined ? undefined : parseDuration(rule.expiresAfter);
  const counted: string[] = [];
  const refused: Problem[] = [];
  let against: string | undefined;
  let isOpen = false;
  for (const review of lastWords(voicesOf(rule, evidence))) {
    const { reviewer } = review;
    if (review.state === 'changes-requested' && !isAuthor(reviewer, evidence.authors)) against ??= reviewer;
    if (review.state !== 'approved') continue;
    const objected =
      objection(review, rule, evidence) ?? (lifetime !== undefined && toInstant(review.at + lifetime) <= at ? 'has expired' : undefined);
    if (objected !== undefined) {
      refused.push(uncounted(reviewer, objected));
      continue;
    }
    const memberships = (rule.teams ?? []).map((team) => evidence.isMember(reviewer, team));
    if (memberships.length === 0 || memberships.includes(true)) counted.push(reviewer);
    else if (memberships.includes(undefined)) isOpen = true;
    else refused.push(uncounted(reviewer, `not in ${(rule.teams ?? []).join(', ')}`));
  }
  return { counted, refused, against, isOpen };
}

/** A signature is bound to the change set by its digest, so it is of no other head. What stands against a change needs no signature. */
interface Voice extends Review {
  readonly isSigned?: true;
}

function voicesOf(
  rule: Omit<ApprovalRule, 'required'>,
  { reviews, signedApprovals }: Pick<GateEvidence, 'reviews' | 'signedApprovals'>,
): readonly Voice[] {
  const signed = (signedApprovals?.counted ?? []).map(({ person, at }): Voice => ({
    reviewer: person,
    state: 'approved',
    commit: undefined,
    at,
    isSigned: true,
  }));
  return [...reviews.filter((review) => rule.signed !== true || review.state !== 'approved'), ...signed];
}

/** What the approvals of a rule amount to. */
export function readApproval(name: string, rule: ApprovalRule, evidence: GateEvidence, at: Instant): GateReading {
  const reading = (status: GateReading['status'], detail: string): GateReading => ({
    name,
    type: 'approval',
    status,
    detail,
    until: undefined,
  });
  if (rule.expiresAfter !== undefined && parseDuration(rule.expiresAfter) === undefined)
    return reading('inconclusive', `"${rule.expiresAfter}" is not a duration`);
  const { signedApprovals: signed } = evidence;
  if (rule.signed === true && signed === undefined) return reading('inconclusive', 'could not look: no signed approvals were gathered');
  const { counted, refused, against, isOpen } = judgeApprovals(rule, evidence, at);
  if (against !== undefined) return reading('waiting', `${against} asks for changes`);
  const names = counted.length === 0 ? '' : `${counted.join(', ')} ${rule.signed === true ? 'signed' : 'approved'}; `;
  const unsigned = rule.signed === true ? (signed?.refused ?? []).map((reason) => `a signed approval does not count: ${reason}`) : [];
  const detail = [
    `${names}${counted.length} of ${rule.required}${rule.signed === true ? ' signed' : ''}`,
    ...refused.map(({ message }) => message),
    ...unsigned,
  ].join('; ');
  if (rule.signed === true && signed?.unread !== undefined && counted.length < rule.required)
    return reading('inconclusive', `could not look: ${signed.unread}; ${detail}`);
  if (counted.length >= rule.required) return reading('passed', detail);
  return isOpen ? reading('inconclusive', `${detail}; a team could not be looked up`) : reading('waiting', detail);
}

/** V-85. */
function uncounted(reviewer: string, why: string): Problem {
  return {
    code: 'approval-not-counted',
    rule: 'V-85',
    severity: 'error',
    phase: 'promote',
    message: `approval by ${reviewer} does not count: ${why}`,
    remedy: 'Ask somebody else of the team, who wrote nothing of it, to approve the present head.',
    place: NOWHERE,
    related: [],
  };
}

function objection(
  review: Voice,
  rule: Omit<ApprovalRule, 'required'>,
  evidence: Pick<GateEvidence, 'authors' | 'releaseAuthors' | 'heads'>,
): string | undefined {
  const { reviewer, commit } = review;
  if (isAuthor(reviewer, evidence.authors)) return `${reviewer} authored the change`;
  if (rule.separationOfDuties !== false && isAuthor(reviewer, evidence.releaseAuthors)) return `${reviewer} authored the release`;
  if (review.isSigned !== true && (commit === undefined || !evidence.heads.includes(commit))) return 'it is of another commit';
  return undefined;
}

/** Logins are the same in any case. */
function isAuthor(login: string, authors: ReadonlySet<string>): boolean {
  return [...authors].some((author) => author.toLowerCase() === login.toLowerCase());
}

/** Per reviewer the last review that takes a stand; comments do not take one back. */
function lastWords(reviews: readonly Voice[]): readonly Voice[] {
  const last = new Map<string, Voice>();
  for (const review of [...reviews].sort((a, b) => a.at - b.at)) {
    if (review.state !== 'commented') last.set(review.reviewer.toLowerCase(), review);
  }
  return [...last.values()].sort((a, b) => compareText(a.reviewer, b.reviewer));
}
