/** Commits that are signed with OpenSSH, or by whose signature something is done to a commit. */
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sshString, sshUint32 } from '#model/ssh-wire.ts';
import { scene, type Scene, type Scenes, type Signing, type SigningBench } from './signing-bench.ts';

export interface SshScenes {
  readonly scenes: Scenes;
  /** An ed25519 key that is trusted. */
  readonly ssh: Signing;
  /** A commit that is signed with it, changed afterwards. */
  readonly craft: (change: (text: string) => string, signing?: Signing) => Scene;
}

export function sshScenes({ folder, run, git, raw, store, payload, withSignature, commit, tag }: SigningBench): SshScenes {
  function sshKey(name: string, type: readonly string[]): { readonly path: string; readonly publicKey: string } {
    const path = join(folder, name);
    run('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', path, ...type]);
    return { path, publicKey: readFileSync(`${path}.pub`, 'utf8').trim() };
  }

  function sshSigning(path: string, list: string, strict = list): Signing {
    const file = join(folder, `${createHash('sha256').update(list).digest('hex').slice(0, 12)}.signers`);
    writeFileSync(file, list);
    const ours = join(folder, `${createHash('sha256').update(strict).digest('hex').slice(0, 12)}.ours`);
    writeFileSync(ours, strict);
    return {
      by: ['gpg.format=ssh', `user.signingkey=${path}`],
      trusted: ['--allowed-signers', ours],
      stock: [`gpg.ssh.allowedSignersFile=${file}`],
    };
  }

  const ada = sshKey('ada', ['-t', 'ed25519']);
  const LIST = `ada@example.org ${ada.publicKey}\n`;
  const ssh = sshSigning(ada.path, LIST);

  function sshBlock(text: string, namespace = 'git'): string {
    return run('ssh-keygen', ['-Y', 'sign', '-q', '-f', ada.path, '-n', namespace], Buffer.from(text, 'latin1')).toString();
  }

  function craft(change: (text: string) => string, signing = ssh): Scene {
    return scene(store(change(raw(commit(signing)))), signing);
  }

  function sshKind(name: string, ...type: readonly string[]): Scene {
    const key = sshKey(name, type);
    const signing = sshSigning(key.path, `ada ${key.publicKey}\n`);
    return scene(commit(signing), signing);
  }

  function sshSha1(): Scene {
    const key = sshKey('sha1', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']);
    const text = payload('sha1');
    const blob = Buffer.from(key.publicKey.split(' ')[1] ?? '', 'base64');
    const head = [Buffer.from('SSHSIG'), sshString('git'), sshString(''), sshString('sha512')];
    const message = Buffer.concat([...head, sshString(createHash('sha512').update(text, 'latin1').digest())]);
    const content = Buffer.concat([sshString('ssh-rsa'), sshString(sign('sha1', message, createPrivateKey(readFileSync(key.path))))]);
    const parts = [
      Buffer.from('SSHSIG'),
      sshUint32(1),
      sshString(blob),
      sshString('git'),
      sshString(''),
      sshString('sha512'),
      sshString(content),
    ];
    return scene(withSignature(text, sshArmour(Buffer.concat(parts))), sshSigning(key.path, `ada ${key.publicKey}\n`));
  }

  function revoked(list: (path: string) => void): Scene {
    const path = join(folder, `revoked-${readdirSync(folder).length}`);
    list(path);
    const found = scene(commit(ssh), ssh);
    return { ...found, trusted: [...found.trusted, '--revoked-keys', path], stock: [...found.stock, `gpg.ssh.revocationFile=${path}`] };
  }

  function sshCertificate(): Scene {
    const [authority, user] = [sshKey('authority', ['-t', 'ed25519']), sshKey('certified', ['-t', 'ed25519'])];
    run('ssh-keygen', ['-q', '-s', authority.path, '-I', 'ada', '-n', 'ada@example.org', '-V', '-1d:+52w', `${user.path}.pub`]);
    const signing = sshSigning(`${user.path}-cert.pub`, `ada@example.org cert-authority ${authority.publicKey}\n`, LIST);
    return scene(commit(signing), signing);
  }

  const scenes: Scenes = {
    unsigned: () => scene(store(payload('unsigned')), ssh),
    'signed-merge': () => scene(commit(ssh, ['-p', commit(ssh), '-p', commit(ssh, ['-m', 'other'])]), ssh),
    'unsigned-merge': () => scene(store(payload('merge', [commit(ssh), commit(ssh, ['-m', 'other'])])), ssh),
    mergetag() {
      const [base, side] = [commit(ssh), commit(ssh, ['-m', 'side'])];
      tag('merged', ssh, side);
      const block = raw('merged', 'tag').trimEnd().replaceAll('\n', '\n ');
      const text = payload('merge', [base, side]).replace('\n\n', `\nmergetag ${block}\n\n`);
      return scene(withSignature(text, sshBlock(text)), ssh);
    },
    'forged-author': () => scene(commit(ssh, [], { GIT_AUTHOR_NAME: 'Linus', GIT_AUTHOR_EMAIL: 'linus@example.org' }), ssh),
    replaced() {
      const id = store(payload('replaced'));
      git(['replace', id, commit(ssh)]);
      return scene(id, ssh);
    },
    'two-headers': () => craft((text) => text.replace(/gpgsig (?:.*\n )*.*\n/, (block) => block + block)),
    'sha256-header': () => craft((text) => text.replace(/gpgsig (?:.*\n )*.*\n/, (block) => `${block}gpgsig-sha256 x\n`)),
    'text-after': () => craft((text) => text.replace('-----END SSH SIGNATURE-----', '-----END SSH SIGNATURE-----\n more')),
    'text-before': () => craft((text) => text.replace('gpgsig ', 'gpgsig Hello\n ')),
    'moved-header': () => craft((text) => text.replace(/(author .*\ncommitter .*\n)(gpgsig (?:.*\n )*.*\n)/, '$2$1')),
    'ssh-ed25519': () => scene(commit(ssh), ssh),
    'ssh-ecdsa': () => sshKind('ecdsa', '-t', 'ecdsa', '-b', '256'),
    'ssh-rsa': () => sshKind('rsa', '-t', 'rsa', '-b', '3072'),
    'ssh-rsa-1024'() {
      const key = sshKey('weak', ['-t', 'rsa', '-b', '1024']);
      const signing = sshSigning(key.path, `ada ${key.publicKey}\n`, LIST);
      return scene(commit(signing), signing);
    },
    'ssh-sha1': sshSha1,
    'ssh-unknown'() {
      const { path } = sshKey('eve', ['-t', 'ed25519']);
      return scene(commit(sshSigning(path, LIST)), ssh);
    },
    'ssh-namespace': () => scene(withSignature(payload('namespace'), sshBlock(payload('namespace'), 'file')), ssh),
    'ssh-tampered': () => craft((text) => text.replace(/signed\n$/, 'sigNed\n')),
    'ssh-trailing'() {
      const text = payload('trailing');
      const bytes = Buffer.from(sshBlock(text).trim().split('\n').slice(1, -1).join(''), 'base64');
      return scene(withSignature(text, sshArmour(Buffer.concat([bytes, Buffer.from([0])]))), ssh);
    },
    'ssh-expired'() {
      const signing = sshSigning(ada.path, `ada valid-before="20200101000000Z" ${ada.publicKey}\n`);
      const date = '1546300800 +0000';
      return scene(commit(signing, [], { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }), signing);
    },
    'ssh-revoked': () => revoked((path) => writeFileSync(path, `${ada.publicKey}\n`)),
    'ssh-revoked-krl': () => revoked((path) => void run('ssh-keygen', ['-q', '-k', '-f', path, `${ada.path}.pub`])),
    'ssh-certificate': sshCertificate,
  };
  return { scenes, ssh, craft };
}

function sshArmour(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----'].join('\n');
}
