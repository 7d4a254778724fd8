/** Public keys of devices: SPKI DER in base64 (RFC 8410), one text per key. */

const PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
/** What the second coordinate of a point is, eight times which is nothing. */
const EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
const SMALL: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, EIGHTH, P - EIGHTH]);

export type Ed25519Verdict = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly message: string };

/** The 32 bytes as hexadecimal digits. Other spellings of the same bytes, other key types, and points that sign for everybody are refused. */
export function readEd25519(text: string): Ed25519Verdict {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) return { ok: false, message: 'is not base64 in its one canonical form' };
  if (bytes.length !== PREFIX.length + 32 || !bytes.subarray(0, PREFIX.length).equals(PREFIX))
    return { ok: false, message: 'is no Ed25519 key in SPKI DER' };
  const raw = bytes.subarray(PREFIX.length);
  const y = ordinate(raw);
  if (y === undefined) return { ok: false, message: 'is no point of the curve' };
  if (SMALL.has(y)) return { ok: false, message: 'is a point of small order, whose signatures prove nothing' };
  return { ok: true, key: raw.toString('hex') };
}

/** The second coordinate, if there is a first one to it (RFC 8032, 5.1.3). */
function ordinate(raw: Uint8Array): bigint | undefined {
  const whole = BigInt(`0x${Buffer.from(raw).reverse().toString('hex')}`);
  const y = whole & (2n ** 255n - 1n);
  if (y >= P) return undefined;
  const square = modulo(y * y);
  const u = modulo(square - 1n);
  const v = modulo(D * square + 1n);
  const cube = modulo(v * v * v);
  const x = modulo(u * cube * nearRoot(u * cube * cube * v));
  const found = modulo(v * x * x);
  const isRoot = found === u || found === modulo(-u);
  return isRoot && (u !== 0n || whole === y) ? y : undefined;
}

/** The power 2^252 - 3, by squaring runs of ones. */
function nearRoot(value: bigint): bigint {
  const one = modulo(value);
  const two = modulo(squared(one, 1) * one);
  const four = modulo(squared(two, 2) * two);
  const five = modulo(squared(four, 1) * one);
  const ten = modulo(squared(five, 5) * five);
  const twenty = modulo(squared(ten, 10) * ten);
  const forty = modulo(squared(twenty, 20) * twenty);
  const fifty = modulo(squared(forty, 10) * ten);
  const hundred = modulo(squared(fifty, 50) * fifty);
  const most = modulo(squared(hundred, 100) * hundred);
  return modulo(squared(modulo(squared(most, 50) * fifty), 2) * one);
}

function squared(value: bigint, times: number): bigint {
  let result = value;
  for (let time = 0; time < times; time += 1) result = (result * result) % P;
  return result;
}

function modulo(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}
