import { createRequire, enableCompileCache } from 'node:module';

// In the program's own folder: a folder that others may write to could hand us other code.
enableCompileCache(new URL('../node_modules/.cache/capstan', import.meta.url).pathname);
const ownModules = createRequire(import.meta.url)('./own-modules.cjs') as { register(): void };
ownModules.register();
const { runCli } = await import('#cli/cli.ts');

const stop = new AbortController();
let signals = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    signals += 1;
    stop.abort();
    if (signals > 1) process.exit(130);
  });
}
// Whoever reads may have read enough (`| head`).
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), async () => (await import('#assembly/assembly.ts')).assemble(), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  say: (text) => process.stderr.write(text),
  isVerbose: false,
  env: process.env,
  cwd: process.env.INIT_CWD ?? process.cwd(),
  isTerminal: process.stderr.isTTY === true,
  signal: stop.signal,
});
