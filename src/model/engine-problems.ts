import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** What concerns the engine's own key and what it wrote; sorted. */
export const ENGINE_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'audit-rewound': {
    rule: undefined,
    title: 'The ledger does not know what a promotion rested on',
    why: 'What is promoted ran upstream before, and a record told of it. Where main has the promotion and audit has no such record, records were taken away.',
    example: 'git push --force origin audit~20:audit',
    remedy: 'Find a clone with a longer audit branch and put it back.',
  },
  'audit-unreadable': {
    rule: undefined,
    title: 'A record of the audit branch cannot be read',
    why: 'It is no JSON, larger than 1 MiB, or lacks what every record has. The engine writes no such record, so nothing that rests on the ledger is judged.',
    example: 'a file below audit/ that somebody edited',
    remedy: 'Find out who wrote it, and put audit back to the commit before.',
  },
  'branch-rewound': {
    rule: undefined,
    title: 'A branch was cut back or replaced',
    why: 'Accepted history is only ever added to. A commit that the ledger names, or that an earlier look saw, is not on its branch any more.',
    example: 'git push --force origin rendered/prod~3:rendered/prod',
    remedy: 'Find a clone that has the commit, and put the branch back.',
  },
  'rotation-impossible': {
    rule: undefined,
    title: "The engine's key cannot be followed by another",
    why: 'A rotation is signed by the old key and the new one. A key that the project does not trust for engines has nothing to hand on.',
    example: 'capstan identity rotate --to next_key with an engine that stands in no trust entry',
    remedy: 'Let somebody who may sign declarations write the new key to spec.trust.',
  },
  'signing-key-ended': {
    rule: undefined,
    title: "The engine's key is not valid now",
    why: 'Its trust entry has ended, or has not begun. What it signed would not count, and a lock that it changed would stop its environment; so it writes nothing.',
    example: 'validUntil: 2026-01-05 in the entry of the engine, a day later',
    remedy: 'Name the key that follows it in identity.signingKey and restart.',
  },
  'signing-key-unreachable': {
    rule: undefined,
    title: 'Nobody said where the agent with the signing key is',
    why: 'The key lies in an SSH agent, which is reached by a socket; the service does not start without being able to sign.',
    example: 'identity: { signingKey: { agent: { publicKey: "ssh-ed25519 AAAA..." } } } without SSH_AUTH_SOCK',
    remedy: 'Write identity.signingKey.agent.socket, or set SSH_AUTH_SOCK for this process.',
  },
  'unusable-signing-key': {
    rule: undefined,
    title: 'The public key of the signing key cannot be used',
    why: 'It chooses the key of the agent or token; a text that is no key, or a key too weak to count, chooses none.',
    example: 'publicKey: ssh-ed25519 AAAA',
    remedy: 'Write the type and the base64 text of the .pub file (ssh-add -L and ssh-keygen -D MODULE print them).',
  },
};
