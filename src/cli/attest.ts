import { addEvidence, type NewStatement } from '#loops/add-evidence.ts';
import { evidenceBranch } from '#loops/evidence-branch.ts';
import { subjectsOf, type Subject } from '#loops/evidence-subjects.ts';
import type { Json } from '#model/json.ts';
import { type StatementType, STATEMENT_TYPES, toPredicate } from '#model/predicate.ts';
import { parsePublicKey } from '#model/public-key.ts';
import { didYouMean } from '#model/suggest.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { isKeyFor } from './named-key.ts';
import { outputFormat, printable, printDocument } from './output.ts';
import type { OpenedWorld } from './powers.ts';
import { privateKeyAt } from './private-key.ts';
import { commitOf, placeOf } from './repository.ts';
import { fileAt } from './signature-credentials.ts';

const LARGEST_REPORT = 16 * 1024 * 1024;

/** Signs a statement about contents and puts it onto the evidence branch, where gates look. */
export async function attest(invocation: Invocation): Promise<number> {
  const { words, options, powers, terminal } = invocation;
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const type = typeIn(options.type);
  const gate = options.gate as string | undefined;
  if (gate !== undefined && !/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(gate))
    throw new UsageError(`--gate "${gate}" is no name of a gate`);
  const report = parseReport(await fileAt(fileIn(options, 'predicate'), terminal, LARGEST_REPORT));
  const key = await privateKeyAt(fileIn(options, 'key'), { powers, terminal });
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    await world.repository.fetch(terminal.signal);
    const predicate = toPredicate(type, report, { gate, at: world.clock.now() });
    if (!predicate.ok) throw new PortError('invalid', `--predicate: ${predicate.reason}`);
    const subjects = await subjectsIn(world, (options.rev as string | undefined) ?? 'HEAD', words);
    const statements = subjects.map(({ capsule, sha256, gitTree }): NewStatement => ({
      subject: { name: `capsules/${capsule}`, digest: { sha256, gitTree } },
      answers: gate ?? type,
      ...predicate.value,
    }));
    const named = subjects.map(({ capsule, version }) => `${capsule}@${version}`).join(', ');
    const { publicKeyPem, sign } = key;
    const branch = evidenceBranch(await projectOf(world));
    const added = await addEvidence(
      world,
      {
        branch,
        statements,
        key: { publicKeyPem, sign: async (bytes) => sign(bytes) },
        by: 'anyone',
        message: `evidence: ${gate ?? type} of ${named.length > 50 ? `${subjects.length} contents` : named}\n`,
      },
      terminal.signal,
    );
    const rows = added.map(({ path, isNew }, at) => {
      const { capsule, version, sha256, gitTree } = subjects[at] ?? {};
      return { capsule, version, sha256, gitTree, path, isNew };
    });
    if (format === 'json') printDocument(terminal, 'AddedEvidence', { branch, predicateType: predicate.value.predicateType, items: rows });
    else
      terminal.out(
        rows
          .map(({ capsule, version, path, isNew }) =>
            printable(`${capsule ?? ''}@${version ?? ''}: ${isNew ? 'signed' : 'was there already'}: ${path}\n`),
          )
          .join(''),
      );
    const publicKey = parsePublicKey(publicKeyPem);
    if (!publicKey.ok || !(await isKeyFor(world, 'evidence', publicKey.value.spkiSha256)))
      terminal.err('warning: this does not count: no trust entry of the project that is for evidence names the key\n');
    if (world.forge === undefined) terminal.say(`the branch ${branch} stands in this repository: git push origin ${branch}\n`);
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

export async function projectOf(world: OpenedWorld) {
  const main = (await world.repository.resolve(world.settings.branch)) ?? (await world.repository.resolve('HEAD'));
  return main === undefined ? undefined : (await world.reading.declarations(await world.reading.at(main))).state.project;
}

export async function subjectsIn(world: OpenedWorld, revision: string, words: readonly string[]): Promise<readonly Subject[]> {
  const commit = await commitOf(world, revision);
  const subjects: Subject[] = [];
  for (const word of words) {
    const found = await subjectsOf(world, commit, word);
    if (found.kind === 'unknown') throw new PortError('missing', found.reason);
    subjects.push(...found.subjects);
  }
  if (subjects.length === 0) throw new UsageError('what was looked at? Name a capsule, CAPSULE@VERSION, or an environment');
  return subjects;
}

function typeIn(given: string | boolean | undefined): StatementType {
  const found = STATEMENT_TYPES.find((type) => type === given);
  if (found === undefined)
    throw new UsageError(
      `--type is one of ${STATEMENT_TYPES.join(', ')}${typeof given === 'string' ? didYouMean(given, STATEMENT_TYPES) : ''}`,
    );
  return found;
}

function fileIn(options: Invocation['options'], name: 'predicate' | 'key'): string {
  const file = options[name];
  if (typeof file !== 'string' || file === '') throw new UsageError(`--${name} FILE is needed`);
  return file;
}

function parseReport(bytes: Uint8Array): Json {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'), refuseReserved) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new PortError('invalid', `--predicate is no JSON: ${error.message.slice(0, 200)}`);
  }
}

function refuseReserved(key: string, value: unknown): unknown {
  if (key === '__proto__' || key === 'constructor' || key === 'prototype') throw new SyntaxError(`the key ${key} is not read`);
  return value;
}
