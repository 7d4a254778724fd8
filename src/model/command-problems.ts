import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Why an agent does not do what it is told; sorted. Codes of signatures are with those of commits. */
export const COMMAND_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'clock-behind': {
    rule: undefined,
    title: 'The clock says less than it did before',
    why: 'Whether a key or a command is still good is a matter of time. Under a clock that went back, what is over would be good again, so nothing is accepted.',
    example: 'a clock that was set back by ten years',
    remedy: 'Set the clock. If it was ahead before and is right now, remove the memory that says otherwise.',
  },
  'expired-command': {
    rule: undefined,
    title: 'A command is over',
    why: 'It was good for at most fifteen minutes, so that one that was caught and held back does nothing later.',
    example: 'ttl 300, and six minutes on the way',
    remedy: 'Issue it again.',
  },
  'issued-before-memory': {
    rule: undefined,
    title: 'A command is older than what an agent remembers',
    why: 'The agent lost its memory, or is new. It cannot know whether it did this command before.',
    example: 'an agent whose disk was replaced',
    remedy: 'Issue it again: a command that is issued from now on is done.',
  },
  'issued-in-future': {
    rule: undefined,
    title: 'A command was issued later than it is now',
    why: 'The clocks of sender and agent are more than a minute apart, so its end means nothing.',
    example: 'iat 61 seconds ahead',
    remedy: 'Set the clocks of both.',
  },
  'malformed-command': {
    rule: undefined,
    title: 'A command cannot be read',
    why: 'Envelope and payload have one spelling (RFC 8785), one signature, and every field; anything else is nothing that an engine wrote.',
    example: 'a payload with a field twice',
    remedy: 'Send what the engine issued, unchanged.',
  },
  'memory-full': {
    rule: undefined,
    title: 'An agent remembers as many commands as it can',
    why: 'All of them could still come again, so none may be forgotten, and one more could not be remembered.',
    example: '20,000 commands within fifteen minutes',
    remedy: 'Send it later.',
  },
  'not-allowed': {
    rule: undefined,
    title: 'A policy forbids a command',
    why: 'It is genuine, in time and new, and its policy says no.',
    example: 'restart while changes are frozen',
    remedy: 'Read what the policy says, and issue another command when it allows it.',
  },
  'replayed-command': {
    rule: undefined,
    title: 'A command came a second time',
    why: 'Its nonce was seen before. What is said once is done once.',
    example: 'the same envelope, sent again by whoever caught it',
    remedy: 'Issue it again if it is meant again.',
  },
  'wrong-agent': {
    rule: undefined,
    title: 'A command is for another agent',
    why: 'Who it is for is part of what is signed, so that it can be carried to nobody else.',
    example: 'agent_id edge/eu-2 at the agent edge/eu-1',
    remedy: 'Issue it for this agent.',
  },
  'wrong-payload-type': {
    rule: undefined,
    title: 'An envelope holds something else than a command',
    why: 'The type is signed with the payload, so that a statement of another kind is never taken for a command.',
    example: 'an attestation, sent to an agent',
    remedy: 'Send what the engine issued as a command.',
  },
  'wrong-tenant': {
    rule: undefined,
    title: 'A command is of another tenant',
    why: 'Agents of one tenant do nothing for another, whoever signed it.',
    example: 'tenant_id rival at an agent of acme',
    remedy: 'Issue it for the tenant of this agent.',
  },
};
