import { quoted } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';

const LIMIT = 512;

/**
 * Headers by which every request is made as another user. No groups are named: the server itself gives a service account its groups and
 * every user `system:authenticated`, and naming them would need the right to impersonate groups as well.
 */
export function impersonationHeaders(user: string | undefined): readonly string[] {
  if (user === undefined) return [];
  return ['impersonate-user', headerText(user, 'impersonate')];
}

export function headerText(text: string, what: string): string {
  // An empty or cut name would make the request as the engine itself.
  if (text.length > 0 && text.length <= LIMIT && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) return text;
  const remedy = 'Write a user such as system:serviceaccount:<namespace>:<name>.';
  throw new PortError('invalid', `${what} ${quoted(text)} cannot be the name of a user. ${remedy}`);
}
