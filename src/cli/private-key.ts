import { parsePrivateKey } from '#model/plain-key.ts';
import type { KeyAtHand } from '#model/plain-key.ts';
import { toSecret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { fileAt } from './signature-credentials.ts';

const LARGEST_KEY = 64 * 1024;
const OF_COSIGN = /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----/;

/** A private key to sign with: PEM, OpenSSH's format, or cosign's encrypted file, which COSIGN_PASSWORD opens as it does for cosign. */
export async function privateKeyAt(path: string, { powers, terminal }: Pick<Invocation, 'powers' | 'terminal'>): Promise<KeyAtHand> {
  const text = (await fileAt(path, terminal, LARGEST_KEY)).toString('utf8');
  const password = terminal.env['COSIGN_PASSWORD'];
  if (password !== undefined) terminal.conceal?.([toSecret(password)]);
  if (OF_COSIGN.test(text) && password === undefined)
    throw new PortError('denied', `--key ${path} is encrypted by cosign: set COSIGN_PASSWORD`);
  const plain = OF_COSIGN.test(text) ? (await powers.openCosignKey(text, toSecret(password ?? ''))).reveal() : text;
  const key = parsePrivateKey(plain);
  if (!key.ok) throw new PortError('invalid', `--key ${path}: ${key.reason}`);
  return key.value;
}
