import { expect, test } from 'vitest';

import { authentication } from '#adapters/oci/authentication.ts';
import { passwordLogin } from '#adapters/oci/login.ts';

/** What is asked where a registry outside sends for a token to this address; the words of a refusal otherwise. */
async function sentTo(realm: string): Promise<string> {
  const asked: string[] = [];
  const login = authentication(async () => passwordLogin('capstan', 'not-for-everybody'));
  const challenge = { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="x"` }, body: Buffer.alloc(0) };
  try {
    await login.answer({
      host: 'registry.example',
      origin: new URL('https://registry.example'),
      scope: { name: 'acme/web', actions: 'pull' },
      refusal: challenge,
      send: async ({ url }) => {
        asked.push(url.host);
        return { kind: 'answer', answer: { status: 200, headers: {}, body: Buffer.from('{"token":"t0ken"}') } };
      },
    });
  } catch (error) {
    return error instanceof Error && asked.length === 0 ? error.message : `asked ${asked.join()}`;
  }
  return `asked ${asked.join()}`;
}

test.each([
  'https://169.254.169.254/latest',
  'https://127.0.0.1/token',
  'https://2130706433/token',
  'https://localhost:8443/token',
  'https://[::1]/token',
  'https://[::ffff:169.254.169.254]/token',
  'https://[fe80::1]/token',
  'https://0.0.0.0/token',
])('row 104: a registry outside sends nobody for a token to %s', async (realm) => {
  expect(await sentTo(realm)).toBe(
    'the registry registry.example sends for tokens to an address of this machine or of its nearest network',
  );
});

test('a token server of the registry, and the registry itself, are asked', async () => {
  expect(await sentTo('https://auth.example/token')).toBe('asked auth.example');
  expect(await sentTo('https://registry.example/token')).toBe('asked registry.example');
});
