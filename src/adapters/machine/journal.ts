import { createRequire } from 'node:module';

import type pino from 'pino';

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
/** A shorter text would mask ordinary words. */
const SHORTEST_SECRET = 6;

export function openJournal(options: JournalOptions, secrets: readonly Secret[]): Journal {
  // A command usually has nothing to log. A file that cannot be opened is told at the start.
  let logger = typeof options.destination === 'string' ? openLogger(options) : undefined;
  const needles = secretForms(secrets);
  const at = (level: Exclude<LogLevel, 'silent'>) => (fields: LogFields, message: string) => {
    if (RANKS[level] < RANKS[options.level]) return;
    logger ??= openLogger(options);
    logger[level](clean(fields, needles), redactText(message, needles));
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

function clean(fields: LogFields, needles: readonly string[]): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? redactText(value, needles) : value]),
  );
}

function redactText(text: string, needles: readonly string[]): string {
  let out = text;
  for (const needle of needles) out = out.replaceAll(needle, MASK);
  for (const shape of SECRET_SHAPES) out = out.replaceAll(shape, MASK);
  return out;
}

/** Every form in which a secret may reach a line, longest first so that no rest of one remains. */
function secretForms(secrets: readonly Secret[]): readonly string[] {
  const forms = secrets.flatMap((secret) => {
    const text = secret.reveal();
    const bytes = Buffer.from(text, 'utf8');
    return [text, encodeURIComponent(text), bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')];
  });
  return [...new Set(forms.filter((form) => form.length >= SHORTEST_SECRET))].sort((a, b) => b.length - a.length);
}
