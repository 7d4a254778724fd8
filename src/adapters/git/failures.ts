import { PortError, type PortErrorKind } from '#ports/port-error.ts';

/** What git (in the C locale) and its transports say, first match wins; the message is for people. */
const SAYINGS: readonly (readonly [RegExp, PortErrorKind, string])[] = [
  [
    /mismatched algorithms|unsupported object format|unknown repository extension|expected git repo version/i,
    'invalid',
    'it uses SHA-256 object ids or a format this version does not read (V-02)',
  ],
  [
    /authentication failed|could not read (username|password)|terminal prompts disabled|permission denied|returned error: 40[13]|access denied/i,
    'denied',
    'the remote does not accept these credentials',
  ],
  [/dubious ownership/i, 'denied', 'it belongs to another user'],
  [/unable to update url base from redirection|redirect/i, 'invalid', 'the remote answers with a redirect; configure its new address'],
  [
    /repository .*not found|does not appear to be a git repository|returned error: 404|no such file or directory/i,
    'missing',
    'the remote repository is not there',
  ],
  [/does not support --atomic|atomic push/i, 'unsupported', 'the remote cannot move several refs at once'],
  [/unable to create .*\.lock|cannot lock ref|unable to lock/i, 'transient', 'another process holds a lock in the repository'],
  [/transport '.*' not allowed/i, 'invalid', 'the kind of address is not allowed'],
  [
    /could not resolve|connection|timed out|early eof|hung up|unexpected disconnect|rpc failed|unable to access|returned error: 5\d\d|returned error: 429/i,
    'transient',
    'the remote cannot be reached',
  ],
];

/** A failed child of git as a PortError. Only the first line git wrote is kept, without addresses' user information. */
export function gitFailure(doing: string, stderr: string): PortError {
  const [, kind, words] = SAYINGS.find(([pattern]) => pattern.test(stderr)) ?? [undefined, 'transient' as const, 'git failed'];
  const said = firstLine(stderr);
  return new PortError(kind, `${doing}: ${words}${said === '' ? '' : ` (git: ${said})`}`);
}

/** True when git says that its own database is damaged, which a fresh copy from the remote mends. */
export function saysCorrupt(stderr: string): boolean {
  return /corrupt|inflate|bad object|object file .* is empty|packfile .* (cannot|is far too short)|not a git repository|missing blob|missing tree|did not send all necessary objects|bad ref|index-pack.*mismatch|invalid sha1/i.test(
    stderr,
  );
}

function firstLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const line = lines.find((text) => /^(fatal|error|remote):/.test(text)) ?? lines.find((text) => text !== '') ?? '';
  // Control characters and user information never reach a terminal or a log.
  return line
    .replace(/\/\/[^/@\s]*@/g, '//')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 300);
}
