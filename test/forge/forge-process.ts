/** The forge as a process of its own, for tests that kill it: `node forge-process.ts DATA_DIRECTORY PORT`. */
import { gitRepository } from '#adapters/git/git.ts';
import { httpBackend } from '#adapters/git/http-backend.ts';
import { startForge } from '#forge/forge.ts';
import { toInstant } from '#model/instant.ts';

const [dataDirectory = '', port = '0'] = process.argv.slice(2);
const { url } = await startForge({
  dataDirectory,
  listen: { host: '127.0.0.1', port: Number(port) },
  repositories: (path) => gitRepository({ path, limits: { blobBytes: 64 << 20, treeEntries: 100_000, refs: 100_000 } }),
  smartHttp: httpBackend(),
  clock: { now: () => toInstant(Date.now()) },
  journal: { info() {}, warn() {}, debug() {}, error: (fields, message) => console.error(message, fields) },
  signer: {
    publicKey: 'ssh-ed25519 AAAA',
    name: 'Local Forge',
    email: 'forge@users.noreply.localhost',
    sign: () => Promise.resolve('-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----'),
  },
});
console.log(url);
