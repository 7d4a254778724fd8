import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import { GO_PROGRAMS } from './programs.ts';
import type { GoProgram } from './programs.ts';

const TOOLCHAIN = 'go1.26.8';
/** Before PATH: Debian keeps the Go of its backports out of it, and may have an older one in it. */
const GO_PLACES = ['/usr/local/go/bin', '/usr/lib/go-1.23/bin'];

/**
 * The path of a foreign program (`helm`, `kustomize`, `kubeconform`, `sops`, `etcd`, `kube-apiserver`, `kubectl` ...), built on first use into
 * `${XDG_CACHE_HOME:-~/.cache}/capstan-test-servers/<module>-<version>-<hash>`. Blocks; any number of processes may ask at once.
 */
export function programPath(name: string): string {
  const found = Object.entries(GO_PROGRAMS).find(([, program]) => program.names.includes(name));
  if (found === undefined) throw new Error(`no folder of test/servers/modules builds ${name}`);
  const place = placeOf(...found);
  // The lock is the kernel's: it is free again when its holder dies, however it dies. One build at a time: each takes all of a machine.
  if (!existsSync(place)) {
    mkdirSync(dirname(place), { recursive: true });
    const build = [process.execPath, join(import.meta.dirname, 'build.ts'), found[0]];
    execFileSync('flock', [join(dirname(place), 'lock'), ...build], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return join(place, name);
}

/** Builds one module, if nobody did; only for the holder of the lock. */
export function buildModule(module: string): void {
  const program = GO_PROGRAMS[module];
  if (program === undefined) throw new Error(`no module ${module}; there are ${Object.keys(GO_PROGRAMS).join(', ')}`);
  const place = placeOf(module, program);
  if (existsSync(place)) return;
  const unfinished = `${place}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const [first = module, ...others] = program.names;
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', ldflags(program), '-o', join(unfinished, first)];
  const env = goEnvironment();
  // The module proxy is the one place that may be asked: no program is brought in from wherever its source lives.
  const proxy = execFileSync('go', ['env', 'GOPROXY'], { env, encoding: 'utf8' })
    .trim()
    .replaceAll(/[,|]direct\b/g, '');
  const options = { cwd: moduleFolder(module), env: { ...env, GOPROXY: proxy } };
  execFileSync('go', ['build', ...flags, program.package], { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const { module: of, from, to } of program.files ?? []) {
    const source = execFileSync('go', ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', of], { ...options, encoding: 'utf8' }).trim();
    // File by file: folders of the module cache may not be written, and a copy would inherit that.
    mkdirSync(join(unfinished, to), { recursive: true });
    for (const file of readdirSync(join(source, from)).filter((name) => name.endsWith('.yaml')))
      writeFileSync(join(unfinished, to, file), readFileSync(join(source, from, file)));
  }
  for (const other of others) symlinkSync(first, join(unfinished, other));
  renameSync(unfinished, place);
}

function placeOf(module: string, program: GoProgram): string {
  const folder = moduleFolder(module);
  const hash = createHash('sha256').update(JSON.stringify([program, TOOLCHAIN, process.arch]));
  for (const file of readdirSync(folder).toSorted()) hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'capstan-test-servers', `${module}-${program.version}-${hash.digest('hex').slice(0, 16)}`);
}

function moduleFolder(module: string): string {
  return join(import.meta.dirname, 'modules', module);
}

function ldflags(program: GoProgram): string {
  return ['-s', '-w', ...program.stamps.map((stamp) => `-X ${stamp}`)].join(' ');
}

/** Only what a build needs. */
function goEnvironment(): Readonly<Record<string, string>> {
  const kept = [
    'HOME',
    'XDG_CACHE_HOME',
    'GOPROXY',
    'GOSUMDB',
    'GOCACHE',
    'GOMODCACHE',
    'GOPATH',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'NO_PROXY',
    'SSL_CERT_FILE',
  ];
  const values = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return {
    ...Object.fromEntries(values),
    PATH: [...GO_PLACES, process.env['PATH']].join(':'),
    GOTOOLCHAIN: TOOLCHAIN,
    CGO_ENABLED: '0',
    GOFLAGS: '',
  };
}
