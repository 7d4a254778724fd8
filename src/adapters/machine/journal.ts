import { createRequire } from 'node:module';

import type pino from 'pino';

import { maskOf, type Mask } from '#model/secret-mask.ts';
import type { Secret } from '#model/secret.ts';
import type { Journal, LogFields } from '#ports/machine.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface JournalOptions {
  readonly level: LogLevel;
  /** Where lines go: a file descriptor (2 is standard error), a path, or anything with `write`. */
  readonly destination: number | string | { write(line: string): void };
}

const load = createRequire(import.meta.url);
const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };
const MASK = '[secret]';
const SECRET_NAMES = ['token', 'password', 'secret', 'privateKey', 'authorization', 'signature', 'cookie', 'webhookSecret', 'signingKey'];
/** Forge tokens, credentials in URLs, bearer headers, private keys: shapes that are secret whoever wrote them. */
const SECRET_SHAPES = [
  /\bgh[a-z]_[A-Za-z0-9]{16,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{16,}/g,
  /(?<=:\/\/)[^/\s:@]*:[^/\s@]+(?=@)/g,
  /(?<=\b[Bb]earer )[A-Za-z0-9._~+/=-]+/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];

export function openJournal(options: JournalOptions, secrets: readonly Secret[]): Journal {
  // A command usually has nothing to log. A file that cannot be opened is told at the start.
  let logger = typeof options.destination === 'string' ? openLogger(options) : undefined;
  const mask = maskOf(secrets);
  const at = (level: Exclude<LogLevel, 'silent'>) => (fields: LogFields, message: string) => {
    if (RANKS[level] < RANKS[options.level]) return;
    logger ??= openLogger(options);
    logger[level](clean(fields, mask), redactText(message, mask));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function openLogger(options: JournalOptions): pino.Logger {
  const open = load('pino') as typeof pino;
  const stream =
    typeof options.destination === 'object'
      ? options.destination
      : open.destination({ dest: options.destination, sync: true, mkdir: true });
  return open({ level: options.level, base: null, redact: { paths: SECRET_NAMES, censor: MASK } }, stream);
}

function clean(fields: LogFields, mask: Mask): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? redactText(value, mask) : value]),
  );
}

function redactText(text: string, mask: Mask): string {
  let out = mask(text);
  for (const shape of SECRET_SHAPES) out = out.replaceAll(shape, MASK);
  return out;
}
