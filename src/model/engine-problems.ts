import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** What concerns the engine's own key and what it wrote; sorted. */
export const ENGINE_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'rotation-impossible': {
    rule: undefined,
    title: "The engine's key cannot be followed by another",
    why: 'A rotation is signed by the old key and the new one. A key that the project does not trust for engines has nothing to hand on.',
    example: 'capstan identity rotate --to next_key with an engine that stands in no trust entry',
    remedy: 'Let somebody who may sign declarations write the new key to spec.trust.',
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
