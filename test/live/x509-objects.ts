/** Commits that are signed with certificates, by gpgsm, and by openssl where gpgsm refuses. */
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { certificateAuthority, type CertificateWish } from './certificate-authority.ts';
import { scene, type Scene, type Scenes, type Signing, type SigningBench } from './signing-bench.ts';

export interface X509Scenes {
  readonly scenes: Scenes;
  /** A fresh certificate of the trusted root, with its key in gpgsm. */
  readonly signing: (name: string) => Signing;
}

export function x509Scenes({ folder, home, run, raw, store, payload, withSignature, commit }: SigningBench): X509Scenes {
  const { certificate, AUTHORITY, PERSON } = certificateAuthority(folder, (args) => run('openssl', args));

  /** gpgsm trusts what its list names. */
  function trust(root: string): void {
    const digest =
      run('openssl', ['x509', '-in', `${root}.pem`, '-noout', '-fingerprint', '-sha1'])
        .toString()
        .split('=')[1]
        ?.trim() ?? '';
    appendFileSync(join(home, 'trustlist.txt'), `${digest} S relax\n`);
    run('gpgsm', ['--batch', '--import', `${root}.pem`]);
    run('gpgconf', ['--kill', 'gpg-agent']);
  }

  const x509Trust = { trusted: ['--x509-root', join(folder, 'root.pem')], stock: ['gpg.format=x509'] };

  function roots(): void {
    if (readdirSync(folder).includes('root.pem')) return;
    certificate('root', { extensions: AUTHORITY });
    trust('root');
  }

  function gpgsmSigning(name: string): Signing {
    roots();
    certificate(name, { issuer: 'root', extensions: PERSON });
    const packed = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1', '-passout', 'pass:'];
    run('openssl', ['pkcs12', '-export', '-in', `${name}.pem`, '-inkey', `${name}.key`, ...packed, '-out', `${name}.p12`]);
    run('gpgsm', ['--batch', '--pinentry-mode', 'loopback', '--passphrase-fd', '0', '--import', `${name}.p12`], '\n');
    const digest =
      run('openssl', ['x509', '-in', `${name}.pem`, '-noout', '-fingerprint', '-sha1'])
        .toString()
        .split('=')[1]
        ?.trim() ?? '';
    return { by: ['gpg.format=x509', `user.signingkey=0x${digest.replaceAll(':', '')}`], ...x509Trust };
  }

  /** By openssl, for what gpgsm refuses to make. */
  function cms(name: string, args: readonly string[] = []): Scene {
    const text = payload(name);
    const signing = ['cms', '-sign', '-binary', '-outform', 'DER', '-signer', `${name}.pem`, '-inkey', `${name}.key`, ...args];
    const der = run('openssl', signing, Buffer.from(text, 'latin1'));
    const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
    return scene(withSignature(text, ['-----BEGIN SIGNED MESSAGE-----', ...lines, '-----END SIGNED MESSAGE-----'].join('\n')), x509Trust);
  }

  function x509(name: string, options: Partial<CertificateWish> = {}, args: readonly string[] = []): Scene {
    roots();
    certificate(name, { issuer: 'root', extensions: PERSON, ...options });
    return cms(name, args);
  }

  function x509OtherRoot(): Scene {
    roots();
    certificate('elsewhere', { extensions: AUTHORITY });
    certificate('eve', { issuer: 'elsewhere', extensions: PERSON });
    return cms('eve');
  }

  function x509Between(name: string, extensions: readonly string[]): Scene {
    roots();
    certificate(`${name}-authority`, { issuer: 'root', extensions });
    certificate(name, { issuer: `${name}-authority`, extensions: PERSON });
    return cms(name, ['-certfile', `${name}-authority.pem`]);
  }

  const scenes: Scenes = {
    x509() {
      const signing = gpgsmSigning('person');
      return scene(commit(signing), signing);
    },
    'x509-between': () => x509Between('between', AUTHORITY),
    'x509-other-root': x509OtherRoot,
    'x509-no-authority': () => x509Between('climber', PERSON),
    'x509-tampered'() {
      const made = x509('tampered');
      return scene(store(raw(made.revision).replace(/tampered\n$/, 'tamPered\n')), x509Trust);
    },
    'x509-expired': () => x509('old', { old: true }),
    'x509-usage': () => x509('encrypts', { extensions: ['basicConstraints=CA:FALSE', 'keyUsage=critical,keyEncipherment'] }),
    'x509-rsa-1024': () => x509('small', { bits: 1024 }),
    'x509-sha1': () => x509('sha1', {}, ['-md', 'sha1']),
    'x509-attached': () => x509('attached', {}, ['-nodetach']),
    'x509-keyless': () =>
      x509('keyless', { extensions: [...PERSON, '1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:https://accounts.example.org'] }),
  };
  return { scenes, signing: gpgsmSigning };
}
