import type { Json } from '#model/json.ts';
import { quoted } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';
import type { ChosenContext } from './kubeconfig.ts';
import { entryText } from './kubeconfig.ts';

const LIMIT = 512;
const REMEDY = 'Write a user such as system:serviceaccount:<namespace>:<name>.';

/**
 * Headers by which every request is made as another user. No groups are named: the server itself gives a service account its groups and
 * every user `system:authenticated`, and naming them would need the right to impersonate groups as well.
 */
export function impersonationHeaders(user: string | undefined): readonly string[] {
  if (user === undefined) return [];
  if (isName(user)) return ['impersonate-user', user];
  throw new PortError('invalid', `impersonate ${quoted(user)} cannot be the name of a user. ${REMEDY}`);
}

/** The same as a kubeconfig says it (`as`, `as-uid`, `as-groups`). What is not understood is refused: without it the request would have more rights. */
export function writtenImpersonation({ user, refuse }: ChosenContext): readonly string[] {
  const named = entryText(user, 'as', refuse);
  const uid = entryText(user, 'as-uid', refuse);
  const groups = user.value['as-groups'] ?? [];
  const extra = user.value['as-user-extra'];
  if (extra !== undefined && extra !== null) {
    throw refuse(
      `${user.pointer}/as-user-extra`,
      `user ${quoted(user.name)} has as-user-extra, which is not supported`,
      'Remove it.',
      'unsupported',
    );
  }
  const list = Array.isArray(groups) ? groups.filter((group: Json): group is string => typeof group === 'string') : [];
  const isComplete = Array.isArray(groups) && list.length === groups.length;
  const isAnybody = named !== undefined || (list.length === 0 && uid === undefined);
  const texts = [...list, ...(named === undefined ? [] : [named]), ...(uid === undefined ? [] : [uid])];
  if (!isComplete || !isAnybody || !texts.every(isName)) {
    const field = ['as', 'as-groups', 'as-uid'].find((key) => user.value[key] !== undefined) ?? 'as';
    throw refuse(`${user.pointer}/${field}`, `as, as-uid and as-groups of user ${quoted(user.name)} name nobody`, REMEDY);
  }
  return [
    ...(named === undefined ? [] : ['impersonate-user', named]),
    ...(uid === undefined ? [] : ['impersonate-uid', uid]),
    ...list.flatMap((group) => ['impersonate-group', group]),
  ];
}

/** An empty or cut name would make the request as the engine itself. */
function isName(text: string): boolean {
  return text.length > 0 && text.length <= LIMIT && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}
