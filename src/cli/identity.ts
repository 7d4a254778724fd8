import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { rotateKey } from '#loops/rotate.ts';
import type { Rotated } from '#loops/rotate.ts';
import { parseDuration } from '#model/instant.ts';
import type { Signer } from '#ports/machine.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printable, printDocument, printProblems } from './output.ts';
import { placeOf } from './repository.ts';

export async function identity(invocation: Invocation): Promise<number> {
  const [action = 'show', ...rest] = invocation.words;
  switch (action) {
    case 'show':
      return show(invocation);
    case 'new':
      return make(invocation, rest);
    case 'rotate':
      return rotate(invocation);
    default:
      throw new UsageError(`identity has no action "${action}" (known: show, new, rotate)`);
  }
}

async function show(invocation: Invocation): Promise<number> {
  const { options, powers, terminal } = invocation;
  return tell(invocation, await powers.openSigner(placeOf(options), terminal));
}

/** A key file for later: nothing uses it before a configuration names it. */
async function make(invocation: Invocation, [file, ...more]: readonly string[]): Promise<number> {
  const { powers, terminal } = invocation;
  if (file === undefined || more.length > 0) throw new UsageError('identity new takes one file: capstan identity new engine_ed25519.next');
  const path = resolve(terminal.cwd, file);
  if (await isThere(path)) throw new UsageError(`${file} is there already; a key is never overwritten`);
  return tell(invocation, await powers.openKey(path, 'engine'));
}

function tell({ options, terminal }: Invocation, signer: Signer): number {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const allowedSigners = `${signer.email} namespaces="git" ${signer.publicKey}`;
  if (format === 'json')
    printDocument(terminal, 'Identity', { name: signer.name, email: signer.email, publicKey: signer.publicKey, allowedSigners });
  else {
    terminal.out(`${signer.publicKey}\n`);
    terminal.out(`${allowedSigners}\n`);
    terminal.say(
      'The first line belongs into Project.spec.trust as sshKey with `for: [engine]`, the second into an allowed-signers file of git.\n',
    );
  }
  return EXIT.ok;
}

const WEEK = '7d';

async function rotate({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const given = typeof options.overlap === 'string' ? options.overlap : WEEK;
  const overlap = parseDuration(given);
  if (overlap === undefined) throw new UsageError(`--overlap "${given}" is no duration such as 24h or 7d`);
  const next = await nextSigner({ options, powers, terminal });
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    await world.repository.fetch(terminal.signal);
    // A command opens its key late; whose it is must be known before anything is drafted.
    const signer = await powers.openSigner(placeOf(options), terminal);
    const result = await rotateKey({ ...world, signer }, { next, overlap, dryRun: options.dryRun === true }, terminal.signal);
    if (!result.ok) {
      printProblems(terminal, result.problems);
      return EXIT.refused;
    }
    if (format === 'json') printDocument(terminal, 'KeyRotation', documentOf(result.value));
    else terminal.out(textOf(result.value));
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

async function nextSigner({ options, powers, terminal }: Pick<Invocation, 'options' | 'powers' | 'terminal'>): Promise<Signer> {
  const { to, toConfig } = options as Readonly<Record<string, string | undefined>>;
  if ((to === undefined) === (toConfig === undefined))
    throw new UsageError('say what the next key is: --to FILE (capstan identity new makes one), or --to-config FILE that names it');
  if (toConfig !== undefined) return powers.openSigner({ repo: undefined, config: toConfig }, terminal);
  const path = resolve(terminal.cwd, to ?? '');
  if (!(await isThere(path))) throw new UsageError(`${to} is not there; make it first: capstan identity new ${to}`);
  return powers.openKey(path, 'engine');
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function documentOf({ from, to, publicKey, validUntil, branch, patch, commit, change, isDone }: Rotated): object {
  const files = patch === '' ? [] : [{ path: 'environments/project.yaml', patch }];
  return {
    state: isDone ? 'done' : commit === undefined ? 'drafted' : 'proposed',
    from: from === '' ? null : from,
    to,
    publicKey,
    validUntil: validUntil === '' ? null : validUntil,
    branch: isDone ? null : branch,
    commit: commit ?? null,
    changeRequest: change?.url ?? null,
    files,
  };
}

function textOf({ from, to, validUntil, branch, patch, commit, change, isDone }: Rotated): string {
  if (isDone) return `nothing to do: ${printable(to)} is trusted for engines already\n`;
  const where = change?.url ?? `branch ${branch}, for you to merge`;
  const next = `Both keys count until ${validUntil}: until then merge it, name the new key in identity.signingKey, and restart the engine.\n`;
  return commit === undefined
    ? `would let ${printable(to)} follow ${printable(from)}\n${patch}`
    : `${printable(to)} follows ${printable(from)} once this is merged: ${where}\ncommit ${commit}, signed by both keys\n${patch}${next}`;
}
