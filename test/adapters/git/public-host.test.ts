import { expect, test } from 'vitest';

import { publicHost, type Resolve } from '#adapters/git/public-host.ts';

/** A host that is public when it is looked at and inside when it is looked at again. */
function rebinding(): Resolve {
  let times = 0;
  return async () => {
    times += 1;
    return times === 1 ? ['93.184.215.14', '2606:2800:21f:cb07::1'] : ['127.0.0.1'];
  };
}

function answer(url: string, resolve: Resolve = async () => ['93.184.215.14']): Promise<string> {
  return publicHost(url, 'the import redis', resolve).catch((error: unknown) => (error instanceof Error ? error.message.slice(0, 42) : ''));
}

test('row 104: a public host is asked at the addresses that were looked at, so that its name may say what it likes later', async () => {
  const resolve = rebinding();

  expect(await answer('https://git.example/a.git', resolve)).toBe('git.example:443:93.184.215.14,2606:2800:21f:cb07::1');
  expect(await answer('https://git.example:8443/a.git', resolve)).toMatch(/leads to an address/);
});

test.each([
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '169.254.169.254',
  '10.1.2.3',
  '172.31.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '1.2.3.4.',
])('row 104: %s is no host for an import', async (host) => {
  expect(await answer(`https://${host}/a.git`)).toMatch(/^the import redis leads to/);
});

test.each([
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  'fe80::1',
  'fd00::1',
  'ff02::1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '10.0.0.1',
  '169.254.169.254',
  'x',
])('row 104: a name that stands for %s is none either, also beside a public address', async (address) => {
  expect(await answer('https://git.example/a.git', async () => ['93.184.215.14', address])).toMatch(/^the import redis leads to/);
});

test('a name that cannot be looked up may be another time', async () => {
  const nobody: Resolve = () => Promise.reject(new Error('ENOTFOUND'));

  await expect(publicHost('https://git.example/a.git', 'the import redis', nobody)).rejects.toMatchObject({ kind: 'transient' });
});
