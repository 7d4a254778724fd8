import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { monotonicFactory } from 'ulid';

import { toInstant } from '#model/instant.ts';
import type { Secret } from '#model/secret.ts';
import type { Kept } from '#ports/kept.ts';
import type { Chance, Clock, Ids, Journal, Signer, Timers } from '#ports/machine.ts';
import { openAgentSigner } from './agent-signer.ts';
import { openJournal, type JournalOptions } from './journal.ts';
import { filesIn } from './kept-files.ts';
import { openFileSigner } from './key-file.ts';
import type { SignerName } from './raw-key.ts';
import { openTokenSigner, type TokenKey } from './token-signer.ts';

export const systemClock: Clock = { now: () => toInstant(Date.now()) };

export const systemChance: Chance = Math.random;

/** Longest delay that setTimeout can carry; a longer one is walked in steps. */
const LONGEST = 2_147_483_647;

export const systemTimers: Timers = {
  after(milliseconds, run) {
    let handle: NodeJS.Timeout;
    function arm(rest: number): void {
      const step = Math.min(Math.max(0, rest), LONGEST);
      handle = setTimeout(() => (rest > step ? arm(rest - step) : run()), step);
    }
    arm(milliseconds);
    return () => clearTimeout(handle);
  },
};

/** ULIDs that grow even within one millisecond, and W3C trace ids. */
export function randomIds(clock: Clock = systemClock): Ids {
  const ulid = monotonicFactory();
  return { runId: () => ulid(clock.now()), traceId: () => randomBytes(16).toString('hex') };
}

/**
 * Collects all garbage and gives its pages back to the system. V8 leaves them as they are while nothing is allocated, so a process that has
 * nothing to do would hold as much as its busiest moment took. Blocks for about a millisecond a megabyte that is in use.
 */
export function giveBackMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** A cache of texts in a folder of its own. */
export function keptFiles(folder: string): Kept {
  return filesIn(folder);
}

/** JSON lines. Fields with a secret's name, known secrets (plain, base64, hex, percent-encoded) and forge tokens print as `[secret]`. */
export function pinoJournal(options: JournalOptions & { readonly secrets?: readonly Secret[] }): Journal {
  return openJournal(options, options.secrets ?? []);
}

/** The engine's key at `path`; made on first use (ed25519, unencrypted OpenSSH format, mode 0600, `.pub` beside it). */
export async function fileSigner(path: string, who: SignerName = ENGINE): Promise<Signer> {
  return await openFileSigner(path, who);
}

/** A key that an SSH agent holds, chosen by its public key. */
export async function agentSigner(
  agent: { readonly publicKey: string; readonly socket: string | undefined },
  who: SignerName = ENGINE,
): Promise<Signer> {
  return await openAgentSigner(agent, who);
}

/** A key of a PKCS#11 token, chosen by its public key: ECDSA or RSA. */
export async function tokenSigner(token: TokenKey, who: SignerName = ENGINE): Promise<Signer> {
  return await openTokenSigner(token, who);
}

const ENGINE: SignerName = { name: 'Capstan', email: 'engine@capstan.invalid' };
