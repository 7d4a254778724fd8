import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { assemble } from '#assembly/assembly.ts';
import { validateSnapshot } from '#loops/check.ts';
import { overlaid } from '#loops/overlay.ts';

/** One look at a work tree: what it took and what it did. */
export interface Look {
  readonly what: string;
  readonly milliseconds: number;
  readonly filesRead: number;
  readonly blobs: number;
  readonly parses: number;
  readonly renders: number;
  readonly problems: number;
  readonly residentMiB: number;
}

const [path = ''] = process.argv.slice(2);
const silence = (): void => undefined;
const terminal = {
  out: silence,
  err: silence,
  say: silence,
  isVerbose: false,
  env: {},
  cwd: path,
  isTerminal: false,
  signal: new AbortController().signal,
};

const world = await assemble().openWorld({ repo: path, config: undefined, readsCheckout: true }, terminal);
const directory = world.workingDirectory ?? noWorkTree();
const { world: reading, replace } = overlaid(world);
const looks: Look[] = [];

await look('everything, nothing known');
await look('nothing changed');
edit('environments/env-2/environment.yaml', 'logLevel: warn', 'logLevel: debug');
await look('one value of one environment');
edit('capsules/app-00001/templates/settings.yaml.hbs', 'data:', 'data:\n  one: "1"');
edit('capsules/app-00001/capsule.yaml', 'version: 1.0.0', 'version: 1.0.1');
await look('one capsule, with a new version');
await world.close();
console.log(JSON.stringify(looks));

async function look(what: string): Promise<void> {
  const before = counts();
  const began = performance.now();
  const { tree, reader } = await directory.snapshot();
  replace(reader);
  const { problems } = await validateSnapshot(reading, { tree, commit: undefined });
  const after = counts();
  looks.push({
    what,
    milliseconds: Math.round(performance.now() - began),
    filesRead: after.reads - before.reads,
    blobs: after.blobs - before.blobs,
    parses: after.parses - before.parses,
    renders: after.renders - before.renders,
    problems: problems.length,
    residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  });
}

function counts() {
  return {
    ...reading.reading.counts(),
    ...world.renderer.counts(),
    reads: directory.counts().reads,
    blobs: world.repository.counts().blobsRead,
  };
}

function edit(file: string, from: string, to: string): void {
  const before = readFileSync(join(path, file), 'utf8');
  if (!before.includes(from)) throw new Error(`${from} is not in ${file}`);
  writeFileSync(join(path, file), before.replace(from, to));
}

function noWorkTree(): never {
  throw new Error(`${path} has no work tree`);
}
