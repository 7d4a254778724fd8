import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '#test/contracts/stock-ssh.ts';

/** Where Debian's softhsm2 puts it. */
const MODULE = '/usr/lib/softhsm/libsofthsm2.so';

export interface SoftToken {
  readonly module: string;
  readonly pin: string;
  /** What the module needs to find its tokens. */
  readonly env: Readonly<Record<string, string>>;
  /** Public keys by label, as `ssh-keygen -D` prints them. */
  readonly keys: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** A token of SoftHSM with one pair of each of these types (`EC:prime256v1`, `rsa:2048`), labelled with its type. */
export async function softToken(types: readonly string[]): Promise<SoftToken> {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-softhsm-'));
  const env = { SOFTHSM2_CONF: join(folder, 'softhsm2.conf') };
  const pin = '497203';
  async function must(command: string, args: readonly string[]): Promise<string> {
    const { code, out } = await run(command, args, { env }).catch(() => ({
      code: 127,
      out: `${command} is absent: install softhsm2 and opensc`,
    }));
    if (code !== 0) throw new Error(out);
    return out;
  }
  await mkdir(join(folder, 'tokens'));
  await writeFile(env.SOFTHSM2_CONF, `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  await must('softhsm2-util', ['--init-token', '--free', '--label', 'capstan', '--so-pin', '11223344', '--pin', pin]);
  const login = ['--module', MODULE, '--token-label', 'capstan', '--login', '--pin', pin];
  for (const [index, type] of types.entries())
    await must('pkcs11-tool', [...login, '--keypairgen', '--key-type', type, '--id', `0${index + 1}`, '--label', type]);
  const listed = await must('ssh-keygen', ['-D', MODULE]);
  const keys = new Map(
    listed.split('\n').flatMap((line): [string, string][] => {
      const [type, blob, label] = line.split(' ');
      return type === undefined || blob === undefined || label === undefined ? [] : [[label, `${type} ${blob}`]];
    }),
  );
  return {
    module: MODULE,
    pin,
    env,
    keys,
    close: async () => rm(folder, { recursive: true, force: true }),
  };
}
