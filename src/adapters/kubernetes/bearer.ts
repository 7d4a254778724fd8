import { toSecret, type Secret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import { readTextFile } from './text-file.ts';

/** A token that may change while it is used. */
export interface Bearer {
  current(): Secret | Promise<Secret>;
  renew(): Promise<void>;
}

/** client-go reads a token file again after this time, and a kubelet replaces it long before it expires. */
const REREAD_MS = 60_000;
const LIMIT = 256 * 1024;

export function writtenToken(text: string, where: string): Bearer {
  const token = checkedToken(text, where);
  return { current: () => token, renew: () => Promise.resolve() };
}

export function fileToken(path: string, now: () => number, remedy = 'Mount the token there or correct tokenFile.'): Bearer {
  let token: Secret | undefined;
  let readAt = 0;
  async function read(): Promise<Secret> {
    const file = await readTextFile(path, LIMIT);
    if (file.kind === 'unreadable') {
      throw new PortError('denied', `the token file ${path} cannot be used: ${file.why}. ${remedy}`);
    }
    // The line end that an editor or `echo` leaves is no part of a token.
    token = checkedToken(file.text.replace(/\r?\n$/, ''), `the token file ${path}`);
    readAt = now();
    return token;
  }
  return {
    current: () => (token !== undefined && now() - readAt < REREAD_MS ? token : read()),
    async renew() {
      await read();
    },
  };
}

/** Tokens are sent in a header: what is no visible ASCII would end it. */
export function checkedToken(text: string, where: string): Secret {
  if (text === '') throw new PortError('denied', `${where} is empty. Write the token there.`);
  if (/[\r\n]/.test(text)) throw new PortError('invalid', `${where} has line breaks, and a token is one line. Remove them.`);
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new PortError('invalid', `${where} has characters that no token has (blanks, control or non-ASCII characters). Copy it again.`);
  }
  return toSecret(text);
}
