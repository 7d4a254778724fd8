import { commitHeaders } from '#model/git-commit.ts';
import type { Parsed } from '#model/git-objects.ts';

export interface TagObject {
  /** What it names: 40 hex digits, and of which kind. */
  readonly object: string;
  readonly type: string;
  /** The name it was made for; where it is found says nothing. */
  readonly name: string;
}

/** The headers of an annotated tag as git writes them, each once and in order. */
export function parseTag(raw: Uint8Array): Parsed<TagObject> {
  const headers = commitHeaders(raw);
  if (!headers.ok) return headers;
  const [object, type, tag, tagger, more] = headers.value;
  if (object?.name !== 'object' || !/^[0-9a-f]{40}$/.test(object.value)) return { ok: false, reason: 'it does not begin with an object' };
  if (type?.name !== 'type' || !/^(commit|tree|blob|tag)$/.test(type.value)) return { ok: false, reason: 'its type is not known' };
  if (tag?.name !== 'tag' || tag.value === '' || tag.value.includes('\n')) return { ok: false, reason: 'it has no name' };
  if ((tagger !== undefined && tagger.name !== 'tagger') || more !== undefined)
    return { ok: false, reason: 'it has headers that git does not write' };
  return { ok: true, value: { object: object.value, type: type.value, name: tag.value } };
}
