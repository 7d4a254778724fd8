/** Commits and tags by stock git with OpenSSH, GnuPG and gpgsm, each made as its scene says. */
import { findSignature } from '#model/signed-object.ts';
import { pgpScenes } from './pgp-objects.ts';
import { config, scene, type Scene, type Scenes, signingBench } from './signing-bench.ts';
import { sshScenes } from './ssh-objects.ts';
import { x509Scenes } from './x509-objects.ts';

export interface SignedObjects {
  readonly repository: string;
  make(scene: string): Scene;
  /** Whether stock git accepts it. */
  witness(kind: 'verify-commit' | 'verify-tag', scene: Scene): boolean;
  close(): void;
}

export function signedObjects(): SignedObjects {
  const bench = signingBench();
  const { repository, git, raw, store, payload, commit, tag } = bench;
  const ours = sshScenes(bench);
  const pgp = pgpScenes(bench, ours);
  const x509 = x509Scenes(bench);
  const { ssh } = ours;
  const tags: Scenes = {
    'tag-ssh': () => tag('v1-ssh', ssh, commit(ssh)),
    'tag-pgp': () => tag('v1-pgp', pgp.signing('tagger'), commit(ssh)),
    'tag-x509': () => tag('v1-x509', x509.signing('releaser'), commit(ssh)),
    'tag-nested'() {
      tag('inner', ssh, commit(ssh));
      return tag('outer', ssh, 'inner');
    },
    'tag-of-unsigned': () => tag('of-unsigned', ssh, store(payload('nobody'))),
    'tag-unsigned'() {
      git(['tag', '-a', '-m', 'a tag', 'unsigned', commit(ssh)]);
      return scene('unsigned', ssh);
    },
    'tag-light'() {
      git(['tag', 'light', commit(ssh)]);
      return scene('light', ssh);
    },
    'tag-renamed'() {
      tag('v1.0.0', ssh, commit(ssh));
      git(['update-ref', 'refs/tags/v2.0.0', git(['rev-parse', 'refs/tags/v1.0.0'])]);
      return scene('v2.0.0', ssh);
    },
    'tag-tampered'() {
      tag('tampered', ssh, commit(ssh));
      git(['update-ref', 'refs/tags/tampered', store(raw('tampered', 'tag').replace('a tag', 'b tag'), 'tag')]);
      return scene('tampered', ssh);
    },
    'tag-header'() {
      const block = findSignature({ kind: 'commit', raw: Buffer.from(raw(commit(ssh)), 'latin1') });
      const armoured = block.kind === 'signed' ? block.signature.armoured : '';
      const head = `object ${commit(ssh)}\ntype commit\ntag header\ntagger Ada <ada@example.org> 1 +0000\n`;
      git(['update-ref', 'refs/tags/header', store(`${head}gpgsig ${armoured.replaceAll('\n', '\n ')}\n\na tag\n`, 'tag')]);
      return scene('header', ssh);
    },
  };
  const scenes: Scenes = { ...ours.scenes, ...pgp.scenes, ...x509.scenes, ...tags };

  return {
    repository,
    make(name) {
      const making = scenes[name];
      if (making === undefined) throw new Error(`no scene is called ${name}`);
      return making();
    },
    witness: (kind, { revision, stock }) => bench.accepts([...config(stock), kind, revision]),
    close: () => bench.close(),
  };
}
