import { base64Says, isSecretValue, isSpokenPassword } from '#model/secret-value.ts';

/** Something in a file that looks like a secret: what kind, and where. Never the secret itself. */
export interface FoundSecret {
  /** With its article: `a GitHub token`. */
  readonly type: string;
  /** Its form alone says so; otherwise it is a random value where one would expect a secret. */
  readonly isCertain: boolean;
  /** Both from 1; the column in UTF-16 units. */
  readonly line: number;
  readonly column: number;
}

/** Shown of one file; the rest comes to light when these are gone. */
const MOST_FOUND = 20;

interface Form {
  /** What every text of this form begins with: looked for first, which costs nearly nothing where there is none. */
  readonly start: string;
  /** Bounded, and sticky: tried only where `start` stands. */
  readonly form: RegExp;
  readonly type: string;
  /** Looks into what `form` matched where its shape alone proves nothing. */
  readonly holds?: (match: RegExpExecArray) => boolean;
  /** What must not stand right before it, so that no text is looked through more than once; letters, digits, `_` and `-` where absent. */
  readonly after?: RegExp;
  /** Not certain enough to refuse what is rendered. */
  readonly asks?: true;
}

const WORD = /[A-Za-z0-9_-]/;
const BASE64 = /[A-Za-z0-9+/]/;
const NOTHING = /(?!)/;

const GITHUB = ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((start): Form => ({
  start,
  form: /gh[a-z]_[A-Za-z0-9]{36,255}(?![A-Za-z0-9])/y,
  type: 'a GitHub token',
}));
const GITLAB = ['glpat-', 'gldt-', 'glrt-', 'glcbt-'].map((start): Form => ({
  start,
  form: /gl[a-z]{2,3}t?-[A-Za-z0-9_-]{20,64}(?![A-Za-z0-9_-])/y,
  type: 'a GitLab token',
}));

/** Texts whose form alone says what they are. Each is tried at word starts only, so the whole is linear in the text. */
const FORMS: readonly Form[] = [
  {
    start: '-----BEGIN ',
    form: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[\s"'+,]){0,80}[A-Za-z0-9+/]{32}/y,
    type: 'a private key',
    after: NOTHING,
  },
  {
    start: 'LS0tLS1CRUdJTi',
    form: /LS0tLS1CRUdJTi[A-Za-z0-9+/]{60,8192}/y,
    type: 'a private key',
    after: BASE64,
    holds: ([text]) => /^-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY/.test(base64Text(text.slice(0, 120))),
  },
  { start: 'AKIA', form: /AKIA[0-9A-Z]{16}(?![0-9A-Za-z])/y, type: 'an AWS access key' },
  { start: 'ASIA', form: /ASIA[0-9A-Z]{16}(?![0-9A-Za-z])/y, type: 'an AWS access key' },
  ...GITHUB,
  { start: 'github_pat_', form: /github_pat_[A-Za-z0-9_]{50,255}(?![A-Za-z0-9_])/y, type: 'a GitHub token' },
  ...GITLAB,
  { start: 'xox', form: /xox[abeoprs]-[A-Za-z0-9-]{20,255}/y, type: 'a Slack token' },
  { start: 'xapp-', form: /xapp-[0-9]-[A-Za-z0-9-]{20,255}/y, type: 'a Slack token' },
  {
    start: 'hooks.slack.com/services/',
    form: /hooks\.slack\.com\/services\/T[A-Z0-9]{6,16}\/B[A-Z0-9]{6,16}\/[A-Za-z0-9]{20,40}/y,
    type: 'a Slack webhook',
  },
  { start: 'sk_live_', form: /sk_live_[A-Za-z0-9]{20,255}/y, type: 'a Stripe key' },
  { start: 'rk_live_', form: /rk_live_[A-Za-z0-9]{20,255}/y, type: 'a Stripe key' },
  { start: 'AIza', form: /AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/y, type: 'a Google API key' },
  { start: 'GOCSPX-', form: /GOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])/y, type: 'a Google client secret' },
  { start: 'npm_', form: /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y, type: 'an npm token' },
  { start: 'pypi-AgEI', form: /pypi-AgEI[A-Za-z0-9_-]{50,1024}/y, type: 'a PyPI token' },
  { start: 'AGE-SECRET-KEY-1', form: /AGE-SECRET-KEY-1[0-9A-Z]{58}(?![0-9A-Z])/y, type: 'an age key' },
  { start: 'hvs.', form: /hvs\.[A-Za-z0-9_-]{24,200}/y, type: 'a Vault token' },
  { start: 'dop_v1_', form: /dop_v1_[0-9a-f]{64}(?![0-9a-f])/y, type: 'a DigitalOcean token' },
  { start: 'SG.', form: /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/y, type: 'a SendGrid key' },
  { start: 'sk-proj-', form: /sk-proj-[A-Za-z0-9_-]{40,255}/y, type: 'an OpenAI key' },
  { start: 'sk-ant-', form: /sk-ant-[A-Za-z0-9_-]{40,255}/y, type: 'an Anthropic key' },
  { start: 'hf_', form: /hf_[A-Za-z]{34}(?![A-Za-z0-9])/y, type: 'a Hugging Face token' },
  { start: 'dckr_pat_', form: /dckr_pat_[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])/y, type: 'a Docker Hub token' },
  { start: 'AccountKey=', form: /AccountKey=[A-Za-z0-9+/]{86}==/y, type: 'an Azure storage key' },
  {
    start: 'eyJhdXRocyI6',
    form: /eyJhdXRocyI6[A-Za-z0-9+/]{20,8192}/y,
    type: 'registry credentials',
    after: BASE64,
    holds: ([text]) => holdsRegistryPassword(base64Text(text)),
  },
  {
    start: 'eyJ',
    form: /(eyJ[A-Za-z0-9_-]{10,2048})\.(eyJ[A-Za-z0-9_-]{10,8192})\.[A-Za-z0-9_-]{20,2048}/y,
    type: 'a signed token (JWT)',
    holds: (match) => /"alg"\s*:\s*"(?!none)/.test(base64Text(match[1] ?? '')) && !isMadeUp(base64Text(match[2] ?? '')),
    asks: true,
  },
  {
    start: '://',
    form: /:\/\/[^\s:@/"'`<>{}$()[\]]{0,64}:([^\s@/"'`<>{}$()[\]]{6,128})@[A-Za-z0-9[]/y,
    type: 'a password in a URL',
    holds: (match) => isSpokenPassword(match[1] ?? ''),
    after: NOTHING,
    asks: true,
  },
];

const CERTAIN = FORMS.filter((form) => form.asks !== true);

/** Every place of a file that looks like a secret, one a line, in order; nothing in what is no text. */
export function findSecrets(bytes: Uint8Array): readonly FoundSecret[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.subarray(0, 8000).includes(0)) return [];
  // One unit a byte: every form is ASCII, and such texts are searched fastest.
  const text = buffer.toString('latin1');
  const spots = new Map<number, Kind>();
  for (const { at, type } of knownSpots(text, FORMS)) spots.set(at, { type, isCertain: true });
  for (const { at, ...kind } of encodedSpots(text)) spots.set(at, kind);
  for (const { at, type } of namedSpots(text)) if (!spots.has(at)) spots.set(at, { type, isCertain: false });
  if (spots.size === 0) return [];
  return placed(
    text,
    [...spots].sort(([a], [b]) => a - b),
  );
}

/** What a text holds whose form alone leaves no doubt; undefined when there is nothing of the kind. */
export function knownSecretIn(text: string): string | undefined {
  for (const spot of knownSpots(text, CERTAIN)) return spot.type;
  return undefined;
}

type Kind = Pick<FoundSecret, 'type' | 'isCertain'>;

interface Spot {
  readonly at: number;
  readonly type: string;
}

function* knownSpots(text: string, forms: readonly Form[]): Generator<Spot> {
  for (const { start, form, type, holds, after = WORD } of forms) {
    for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + start.length)) {
      if (at > 0 && after.test(text.charAt(at - 1))) continue;
      form.lastIndex = at;
      const match = form.exec(text);
      if (match === null || isMadeUp(match[0].slice(start.length)) || (holds !== undefined && !holds(match))) continue;
      yield { at, type };
    }
  }
}

/** Documentation writes EXAMPLE, xxxx and 1234 where the secret would stand. */
function isMadeUp(text: string): boolean {
  return /example|x{5}|\.{3}|\*{3}|0{8}|123456789/i.test(text) || new Set(text.slice(0, 64)).size < Math.min(8, text.length / 2);
}

const SECRET_MANIFEST = /^[ \t]{0,8}"?kind"?:[ \t]{0,8}["']?Secret["']?[ \t\r,]{0,8}$/m;
const DATA = /^[ \t]{1,60}["']?[\w.-]{1,253}["']?:[ \t]{0,20}["']?([A-Za-z0-9+/]{16,65536}={0,2})["']?,?[ \t\r]{0,20}(?:#.{0,400})?$/gm;

/** What stands in base64 in a manifest of kind Secret is as readable as anything else. */
function* encodedSpots(text: string): Generator<Kind & { readonly at: number }> {
  if (!SECRET_MANIFEST.test(text)) return;
  for (const match of text.matchAll(DATA)) {
    const [, value = ''] = match;
    const at = match.index + match[0].indexOf(value, match[0].indexOf(':'));
    const decoded = base64Says(value);
    const known = knownSecretIn(base64Text(value));
    if (known !== undefined) yield { at, type: known, isCertain: true };
    else if (decoded !== undefined && decoded.length >= 16 && isSecretValue(decoded)) yield { at, type: 'a secret', isCertain: false };
  }
}

const WORDS =
  'pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|(?:access|private|secret|signing|encryption|master|account)[_-]?key';
const NAMED = new RegExp(`(${WORDS})["'\`]?[ \\t]{0,8}(?::=|=>|[:=])[ \\t]{0,8}`, 'gi');
/** `- name: DB_PASSWORD`, and its value on the next line. */
const PAIRED = new RegExp(`name:[ \\t]{0,8}["']?[\\w.-]{0,80}?(${WORDS})["']?[ \\t]{0,8}\\r?\\n[ \\t]{0,80}value:[ \\t]{0,8}`, 'gi');
/** `"auth": "..."` of a registry configuration: user and password in base64. */
const AUTH = /"auth"[ \t]{0,8}:[ \t]{0,8}"([A-Za-z0-9+/]{8,1024}={0,2})"/g;

/** Values of keys that are called like secrets, where the value looks like one. */
function* namedSpots(text: string): Generator<Spot> {
  for (const match of text.matchAll(AUTH))
    if (holdsPassword(base64Text(match[1] ?? '')))
      yield { at: match.index + match[0].indexOf(match[1] ?? ''), type: 'registry credentials' };
  // Whatever is sealed is encrypted to one cluster.
  if (text.includes('kind: SealedSecret')) return;
  for (const pattern of [NAMED, PAIRED]) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const at = match.index + match[0].length;
      const value = valueFrom(text, at);
      pattern.lastIndex = value.end;
      if (value.text !== '' && isSecretValue(value.text)) yield { at: value.at, type: typeOf(match[1] ?? '') };
    }
  }
}

const LONGEST_VALUE = 1024;
const QUOTED = /(["'`])([^"'`\r\n]{0,1024})\1/y;
const PLAIN = /[^\s"'`,;]{1,1024}/y;

/** What stands at a place: between quotes, or up to the next blank; nothing of what is longer than any password. */
function valueFrom(text: string, at: number): { readonly at: number; readonly text: string; readonly end: number } {
  QUOTED.lastIndex = at;
  const quoted = QUOTED.exec(text)?.[2];
  if (quoted !== undefined) return { at: at + 1, text: quoted, end: at + quoted.length + 2 };
  PLAIN.lastIndex = at;
  const plain = PLAIN.exec(text)?.[0] ?? '';
  return { at, text: plain.length === LONGEST_VALUE ? '' : plain, end: at + plain.length };
}

function typeOf(word: string): string {
  const lower = word.toLowerCase();
  if (lower.startsWith('p') && !lower.startsWith('private')) return 'a password';
  if (lower === 'token') return 'a token';
  return lower.startsWith('api') ? 'an API key' : 'a secret';
}

function base64Text(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1');
}

function holdsRegistryPassword(text: string): boolean {
  const auth = /"auth"\s{0,8}:\s{0,8}"([A-Za-z0-9+/]{8,1024}={0,2})"/.exec(text)?.[1];
  if (auth !== undefined) return holdsPassword(base64Text(auth));
  return isSpokenPassword(/"(?:password|identitytoken)"\s{0,8}:\s{0,8}"([^"]{1,4096})"/.exec(text)?.[1] ?? '');
}

/** `user:password` */
function holdsPassword(text: string): boolean {
  const colon = text.indexOf(':');
  return colon > 0 && /^[\x20-\x7e]+$/.test(text) && isSpokenPassword(text.slice(colon + 1));
}

/** Offsets, ascending -> places, the first of each line. */
function placed(text: string, spots: readonly (readonly [number, Kind])[]): readonly FoundSecret[] {
  const found: FoundSecret[] = [];
  let line = 1;
  let start = 0;
  for (const [at, kind] of spots) {
    for (let end = text.indexOf('\n', start); end >= 0 && end < at; end = text.indexOf('\n', start)) {
      line += 1;
      start = end + 1;
    }
    if (found.at(-1)?.line === line) continue;
    if (found.length === MOST_FOUND) break;
    found.push({ ...kind, line, column: Buffer.from(text.slice(start, at), 'latin1').toString('utf8').length + 1 });
  }
  return found;
}
