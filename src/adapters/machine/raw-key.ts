import { sshPublicKeyText, type SshPublicKey } from '#model/ssh-key.ts';
import { plainSignature, sshPublicKeyPem } from '#model/ssh-plain.ts';
import { armourSshSignature, parseSshSignature, sshMessage, verifySshSignature } from '#model/ssh-signature.ts';
import type { Signer } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';

export interface SignerName {
  readonly name: string;
  readonly email: string;
}

/** A key that another program holds. */
export interface RawKey {
  readonly publicKey: SshPublicKey;
  /** Signs bytes as they are; answers algorithm and content as an SSH agent does. `rsa` is the hash of RSA keys. */
  signRaw(bytes: Uint8Array, rsa: 'sha256' | 'sha512'): Promise<Uint8Array>;
}

/** A signer over such a key. What it answers is checked before it is used: a faulty token must not make commits that nobody accepts. */
export function signerOver(key: RawKey, who: SignerName): Signer {
  async function sign(payload: Uint8Array, namespace = 'git'): Promise<string> {
    const armoured = armourSshSignature(key.publicKey, await key.signRaw(sshMessage(payload, namespace), 'sha512'), namespace);
    const read = parseSshSignature(armoured.trimEnd(), namespace);
    if (!read.ok) throw new PortError('invalid', `the holder of the signing key answered a signature that cannot be used: ${read.reason}`);
    if (!verifySshSignature(read.value, payload))
      throw new PortError('invalid', 'the holder of the signing key answered a signature that does not fit');
    return armoured;
  }

  return {
    publicKey: sshPublicKeyText(key.publicKey),
    name: who.name,
    email: who.email,
    sign,
    plainKey: async () => ({
      publicKeyPem: sshPublicKeyPem(key.publicKey),
      async sign(bytes) {
        const plain = plainSignature(key.publicKey, await key.signRaw(bytes, 'sha256'));
        if (plain === undefined)
          throw new PortError('invalid', 'the holder of the signing key answered a signature of another kind than its key');
        return plain;
      },
    }),
  };
}
