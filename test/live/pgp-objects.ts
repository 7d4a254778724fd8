/** Commits that are signed with GnuPG. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { scene, type Scene, type Scenes, type Signing, type SigningBench } from './signing-bench.ts';
import type { SshScenes } from './ssh-objects.ts';

const LONG_AGO = '20200101T120000!';

export interface PgpScenes {
  readonly scenes: Scenes;
  /** A fresh ed25519 key in a keyring of its own. */
  readonly signing: (name: string) => Signing;
}

export function pgpScenes({ folder, home, run, payload, withSignature, commit }: SigningBench, { craft }: SshScenes): PgpScenes {
  function gpg(args: readonly string[], input: string | Buffer = ''): Buffer {
    return run('gpg', ['--batch', '-q', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], input);
  }

  function gpgKey(name: string, algorithm: string, ...args: readonly string[]): string {
    gpg([...args, '--quick-gen-key', `${name} <${name}@example.org>`, algorithm, 'sign', args.length === 0 ? 'never' : '10d']);
    return fingerprint(name);
  }

  function fingerprint(name: string): string {
    const listed = gpg(['--with-colons', '--list-keys', `${name}@example.org`]).toString();
    return /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? '';
  }

  function gpgSigning(key: string, ...args: readonly string[]): Signing {
    const program = join(folder, `gpg-${createHash('sha256').update(args.join(' ')).digest('hex').slice(0, 8)}`);
    writeFileSync(program, `#!/bin/sh\nexec gpg --batch --pinentry-mode loopback --passphrase '' ${args.join(' ')} "$@"\n`, {
      mode: 0o755,
    });
    const ring = join(folder, `${key}.asc`);
    writeFileSync(ring, gpg(['--armor', '--export', key]));
    return { by: [`gpg.program=${program}`, `user.signingkey=${key}`], trusted: ['--openpgp-keyring', ring], stock: [] };
  }

  function pgp(name: string, algorithm: string, ...args: readonly string[]): Scene {
    const signing = gpgSigning(gpgKey(name, algorithm), ...args);
    return scene(commit(signing), signing);
  }

  function detached(key: string, args: readonly string[], name: string): Scene {
    const text = payload(name);
    const block = gpg([...args, '--armor', '--detach-sign', '-o', '-'], Buffer.from(text, 'latin1')).toString();
    return scene(withSignature(text, block), gpgSigning(key));
  }

  function expired(name: string): Signing {
    const key = gpgKey(name, 'ed25519', '--faked-system-time', LONG_AGO);
    return gpgSigning(key, '--faked-system-time', LONG_AGO);
  }

  /** A keyring without this key, ours and GnuPG's. */
  function forgetful(name: string): Pick<Signing, 'trusted' | 'stock'> {
    const key = fingerprint(name);
    const other = gpgSigning(gpgKey(`not-${name}`, 'ed25519'));
    gpg(['--yes', '--delete-secret-and-public-key', key]);
    return other;
  }

  const scenes: Scenes = {
    'pgp-ed25519': () => pgp('ed', 'ed25519'),
    'pgp-rsa': () => pgp('rsa', 'rsa2048'),
    'pgp-subkey'() {
      const key = gpgKey('sub', 'ed25519');
      gpg(['--quick-add-key', key, 'ed25519', 'sign', 'never']);
      const signing = gpgSigning(key);
      return scene(commit(signing), signing);
    },
    'pgp-unknown': () => scene(commit(gpgSigning(gpgKey('stranger', 'ed25519'))), forgetful('stranger')),
    'pgp-expired'() {
      const signing = expired('expired');
      return scene(commit(signing), signing);
    },
    'pgp-revoked'() {
      const signing = expired('revoked');
      const id = commit(signing);
      const key = fingerprint('revoked');
      const text = readFileSync(join(home, 'openpgp-revocs.d', `${key}.rev`), 'utf8').replace(/^:-----BEGIN/m, '-----BEGIN');
      gpg(['--import'], text);
      return scene(id, gpgSigning(key));
    },
    'pgp-tampered'() {
      const signing = gpgSigning(gpgKey('tampered', 'ed25519'));
      return craft((text) => text.replace(/signed\n$/, 'sigNed\n'), signing);
    },
    'pgp-sha1': () => pgp('sha1', 'rsa2048', '--digest-algo', 'SHA1'),
    'pgp-sha1-binding'() {
      const signing = gpgSigning(gpgKey('bound', 'ed25519', '--cert-digest-algo', 'SHA1'));
      return scene(commit(signing), signing);
    },
    'pgp-rsa-1024': () => pgp('weak', 'rsa1024'),
    'pgp-two'() {
      const [one, two] = [gpgKey('one', 'ed25519'), gpgKey('two', 'ed25519')];
      return detached(one, ['-u', one, '-u', two], 'two');
    },
    'pgp-text'() {
      const key = gpgKey('text', 'ed25519');
      return detached(key, ['-u', key, '--textmode'], 'text');
    },
  };
  return { scenes, signing: (name) => gpgSigning(gpgKey(name, 'ed25519')) };
}
