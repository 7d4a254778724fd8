/** Whether texts that stand where a secret would stand are secrets. Thresholds are judged by test/model/secret-scan.test.ts. */

/** What people write in place of a secret, or to say where it comes from. */
const PLACEHOLDER =
  /example|change|placeholder|replace|your[-_ ]?|todo|fixme|dummy|sample|redacted|insert|enter[-_ ]|fake|mock|test|demo|default|passw(?:or)?d|secret|token|user|admin|x{4}|\*{3}|\.{3}|-{4}|_{4}|1234|abcd|qwerty|foobar|none|null|undefined|true|false/i;
/** Templates, variables, calls, tags: what is put in is known elsewhere. */
const REFERENCE = /\{\{|\$\{|\$\(|#\{|%\{|[<>()[\]{}|\\]|^[$!&*@%]|:\/\/|&&|={3}|^urn:|^sha\d{1,3}[:-]|^(?:\.{0,2}|~)\/|^ENC\[/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const PATH = /^[a-z0-9._-]{1,255}(?:\/[a-z0-9._-]{1,255}){1,32}\/?$/;
/** `this.config.token`, `process.env.API_KEY`: an expression of a program. */
const MEMBERS = /^[A-Za-z_$][A-Za-z_$]{0,60}(?:\??\.[A-Za-z_$][A-Za-z0-9_$]{0,60}){1,12}$/;
const NAME = /^(?:[a-z0-9._-]+|[A-Z0-9._-]+)$/;

/** For the value of a key that is called like a secret: random enough to be one, and no stand-in for one. */
export function isSecretValue(text: string): boolean {
  if (isStandIn(text)) return false;
  const decoded = base64Says(text);
  // A base64 text is as secret as what it says.
  return decoded === undefined ? isRandom(text) : decoded.length >= 8 && !isStandIn(decoded) && isRandom(decoded);
}

/** For a text that can be nothing but a password (in a URL, beside a user): anything but a stand-in. */
export function isSpokenPassword(text: string): boolean {
  return text.length >= 6 && !isStandIn(text) && new Set(text).size >= 5 && (/\d/.test(text) || text.length >= 12);
}

function isStandIn(text: string): boolean {
  return PLACEHOLDER.test(text) || REFERENCE.test(text) || UUID.test(text) || PATH.test(text) || MEMBERS.test(text) || /\s/.test(text);
}

/** The readable text that base64 stands for; undefined where it stands for none. */
export function base64Says(text: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]{8,1024}={0,2}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, 'base64').toString('latin1').trimEnd();
  return /^[\x20-\x7e]+$/.test(decoded) ? decoded : undefined;
}

function isRandom(text: string): boolean {
  if (!/[A-Za-z]/.test(text) || !/\d/.test(text)) return false;
  if (NAME.test(text)) {
    // Names of objects and constants: `default-token-x7k2p` is none, 32 hex digits are one.
    const part = text.split(/[._-]/).reduce((longest, one) => (one.length > longest.length ? one : longest), '');
    return part.length >= 20 && count(part, /\d/g) >= 4 && count(part, /[a-z]/gi) >= 4 && bitsOf(part) >= 3.2;
  }
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text)).length;
  // `privateKeyPkcs8` is a name of a program: one number makes no password.
  if (kinds < 3 || text.length < 10 || (count(text, /\d/g) < 2 && /^\w+$/.test(text))) return false;
  return bitsOf(text) >= (text.length < 16 ? 3 : 3.5);
}

function count(text: string, kind: RegExp): number {
  return text.match(kind)?.length ?? 0;
}

/** Shannon entropy, in bits a character. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const times of counts.values()) bits -= (times / text.length) * Math.log2(times / text.length);
  return bits;
}
