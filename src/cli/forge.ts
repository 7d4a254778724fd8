import { resolve } from 'node:path';

import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { untilStopped } from './serve.ts';

export async function forge({ words, options, powers, terminal }: Invocation): Promise<number> {
  const data = resolve(terminal.cwd, typeof options.data === 'string' ? options.data : '.capstan/forge');
  if (words.length > 0) {
    const [noun, verb, name] = words;
    if (noun !== 'user' || verb !== 'add' || name === undefined)
      throw new UsageError(`'capstan forge ${words.join(' ')}' is not known; there is 'capstan forge user add NAME'`);
    terminal.out(`${(await powers.addForgeUser({ data, name })).token}\n`);
    return EXIT.ok;
  }
  const running = await powers.forge({ data, listen: listenOf(options.listen, '127.0.0.1:3000') }, terminal);
  terminal.say(`the local forge serves ${running.url} (API at ${running.url}/api/v3; token of the user admin in ${data}/admin-token)\n`);
  return untilStopped(running, terminal.signal);
}

/** `--listen` as given, or the usual address. */
export function listenOf(given: string | boolean | undefined, usual: string): string {
  if (typeof given !== 'string') return usual;
  const [, port] = /^(?:\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(given) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new UsageError(`--listen "${given}" is not HOST:PORT, such as ${usual}`);
  return given;
}
