/** Whether an image reference names one content: `name@sha256:` with 64 digits, or sha512 with 128. */
export function isPinnedImage(reference: string): boolean {
  return /@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(reference);
}

/** A reference as people write it, with its registry and path spelled out: `nginx` is `docker.io/library/nginx`. */
export interface ImageReference {
  /** Host and port. */
  readonly registry: string;
  /** Path within it. */
  readonly name: string;
  readonly tag: string | undefined;
  /** `sha256:` with 64 lower-case hex digits. */
  readonly digest: string | undefined;
}

const LONGEST_REFERENCE = 512;
const LONGEST_NAME = 255;
const LABEL = String.raw`[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?`;
const REGISTRY = new RegExp(String.raw`^(?:${LABEL}(?:\.${LABEL})*|\[[0-9a-fA-F:.]{2,45}\])(?::([1-9][0-9]{0,4}))?$`);
const NAME = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const DOCKER = 'docker.io';

/** The reference, or what is wrong with it (finishes the sentence "the reference ..."). */
export function parseImageReference(text: string): ImageReference | { readonly wrong: string } {
  if (text.length > LONGEST_REFERENCE) return { wrong: `is longer than ${LONGEST_REFERENCE} characters` };
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0) return { wrong: 'has more than one @' };
  if (digest !== undefined && !isContentDigest(digest)) return { wrong: 'has a digest that is not sha256: with 64 lower-case hex digits' };
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const hasRegistry = first === 'localhost' || /[.:A-Z[]/.test(first);
  const path = hasRegistry ? named.slice(slash + 1) : named;
  const colon = path.indexOf(':');
  const tag = colon < 0 ? undefined : path.slice(colon + 1);
  if (tag !== undefined && !isImageTag(tag)) return { wrong: 'has a tag that is none' };
  const repository = parseImageRepository(`${hasRegistry ? `${first}/` : ''}${colon < 0 ? path : path.slice(0, colon)}`);
  return 'wrong' in repository ? repository : { ...repository, tag, digest };
}

/** `registry/name`, without tag and digest. */
export function parseImageRepository(text: string): { readonly registry: string; readonly name: string } | { readonly wrong: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const hasRegistry = first === 'localhost' || /[.:A-Z[]/.test(first);
  const registry = hasRegistry ? first : DOCKER;
  if (!isRegistry(registry.toLowerCase())) return { wrong: 'names no usable registry' };
  const path = hasRegistry ? text.slice(slash + 1) : text;
  const isDocker = registry === DOCKER || registry === 'index.docker.io';
  const name = isDocker && !path.includes('/') ? `library/${path}` : path;
  if (name.length > LONGEST_NAME || !NAME.test(name))
    return { wrong: 'has a path that is no repository name (lower case letters, digits, . _ - /)' };
  return { registry: isDocker ? DOCKER : registry.toLowerCase(), name };
}

/** Host and port, the host in its one form: an address in octal digits would be another place to whoever compares names. */
function isRegistry(text: string): boolean {
  const [found, port = '443'] = REGISTRY.exec(text) ?? [];
  if (found === undefined || text.length > LONGEST_NAME || Number(port) > 65_535 || Number(port) === 0) return false;
  return URL.canParse(`https://${text}`) && new URL(`https://${text}`).hostname === text.replace(/:[0-9]{1,5}$/, '');
}

export function isImageTag(text: string): boolean {
  return TAG.test(text);
}

/** `sha256:` with 64 lower-case hex digits. */
export function isContentDigest(text: string): boolean {
  return DIGEST.test(text);
}
