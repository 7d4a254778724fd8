import { type GivenTrust, judgeCommits, judgeTag, type JudgedObject, type SignatureQuestion } from '#loops/verify-commits.ts';
import { parseAllowedSigners } from '#model/allowed-signers.ts';
import type { CommitId } from '#model/digest.ts';
import { type Instant, instantText, parseInstant } from '#model/instant.ts';
import { placeInFile } from '#model/problem.ts';
import { parseRevokedKeys } from '#model/revoked-keys.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { countOf, outputFormat, printable, printDocument } from './output.ts';
import type { OpenedWorld } from './powers.ts';
import { commitOf, placeOf } from './repository.ts';
import { fileAt } from './signature-credentials.ts';

const LARGEST_LIST = 8 * 1024 * 1024;

/** 0 all accepted, 3 one is not, 1 not found or unreadable. */
export async function verifyCommit(invocation: Invocation): Promise<number> {
  const { head, base } = rangeIn(invocation.words[0] ?? '');
  return await answer(invocation, async (world, question) => {
    const range = { head: await theOne(world, head), base: base === undefined ? undefined : await theOne(world, base) };
    return await judgeCommits(world, question, range);
  });
}

/** git takes the tag where a branch has the same name: what is verified must be what others then check out. */
async function theOne(world: OpenedWorld, revision: string): Promise<CommitId> {
  const name = revision.replace(/[~^].*$/, '');
  const places = [`refs/heads/${name}`, `refs/remotes/origin/${name}`];
  const refs = new Map<string, CommitId>(await world.repository.refs());
  const tagged = refs.get(`refs/tags/${name}`);
  const branch = places.find((place) => refs.has(place) && refs.get(place) !== tagged);
  if (tagged !== undefined && branch !== undefined)
    throw new UsageError(`"${name}" is a branch and a tag of another commit; give ${branch}, refs/tags/${name} or an id`);
  return await commitOf(world, revision);
}

export async function verifyTag(invocation: Invocation): Promise<number> {
  const [name = ''] = invocation.words;
  return await answer(invocation, async (world, question) => {
    const judged = await judgeTag(world, question, name);
    if (judged === undefined) throw new PortError('missing', `${world.path} has no tag "${name}"`);
    return [judged];
  });
}

type Judge = (world: OpenedWorld, question: SignatureQuestion) => Promise<readonly JudgedObject[]>;

async function answer(invocation: Invocation, judge: Judge): Promise<number> {
  const { words, options, powers, terminal } = invocation;
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const firstSeen = momentIn(options.firstSeen);
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    const question = { given: await givenTrust(invocation, world), revoked: await revokedKeys(invocation), firstSeen };
    const judged = await judge(world, question);
    const refused = judged.flatMap(({ verdict }) => (verdict.kind === 'accepted' ? [] : [verdict]))[0];
    if (format === 'json')
      printDocument(terminal, 'SignatureVerdictList', {
        revision: words[0],
        firstSeen: firstSeen === undefined ? null : instantText(firstSeen),
        verdict: refused?.kind ?? 'accepted',
        code: refused === undefined ? null : refused.code,
        items: judged.map(verdictDocument),
      });
    else {
      for (const { sentence } of judged) terminal.out(`${printable(sentence)}\n`);
      if (judged.length !== 1)
        terminal.say(
          `${countOf(judged.length, 'commit')}, ${judged.filter(({ verdict }) => verdict.kind === 'accepted').length} accepted\n`,
        );
    }
    return refused === undefined ? EXIT.ok : EXIT.refused;
  } finally {
    await world.close();
  }
}

function rangeIn(word: string): { readonly head: string; readonly base: string | undefined } {
  if (word.includes('...')) throw new UsageError('A...B is not a range of commits that follow each other; give BASE..HEAD');
  const [first = '', second, more] = word.split('..');
  if (more !== undefined || first === '' || second === '') throw new UsageError(`"${word}" is neither a commit nor BASE..HEAD`);
  return second === undefined ? { head: first, base: undefined } : { head: second, base: first };
}

function momentIn(text: string | boolean | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const at = typeof text === 'string' && /(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? parseInstant(text) : undefined;
  if (at === undefined) throw new UsageError(`--first-seen "${String(text)}" is not a time with a zone, as in 2026-06-01T12:00:00Z`);
  return at;
}

/** Undefined where no file is named: then the project decides. */
async function givenTrust(invocation: Invocation, world: OpenedWorld): Promise<GivenTrust | undefined> {
  const { allowedSigners, openpgpKeyring, x509Root } = invocation.options;
  if (allowedSigners === undefined && openpgpKeyring === undefined && x509Root === undefined) return undefined;
  const signers = [
    ...(await sshSigners(invocation, fileIn(allowedSigners, 'allowed-signers'))),
    ...(await openpgpSigners(invocation, world, fileIn(openpgpKeyring, 'openpgp-keyring'))),
    ...(await x509Signers(invocation, fileIn(x509Root, 'x509-root'))),
  ];
  return { signers, trustedRoot: undefined };
}

function fileIn(value: string | boolean | undefined, name: string): string | undefined {
  if (value === '') throw new UsageError(`--${name} is empty`);
  return typeof value === 'string' ? value : undefined;
}

async function sshSigners({ terminal }: Invocation, path: string | undefined): Promise<readonly AllowedSigner[]> {
  if (path === undefined) return [];
  const read = parseAllowedSigners((await fileAt(path, terminal, LARGEST_LIST)).toString('utf8'), path);
  if (!read.ok) throw new PortError('invalid', `${path}:${read.line}: ${read.reason}`);
  return read.value;
}

async function openpgpSigners({ terminal }: Invocation, world: OpenedWorld, path: string | undefined): Promise<readonly AllowedSigner[]> {
  if (path === undefined) return [];
  const read = await (await world.signatures()).keyring(await fileAt(path, terminal, LARGEST_LIST));
  if (!read.ok) throw new PortError('invalid', `${path} is no keyring that counts: ${read.reason}`);
  return read.value.map(({ credential, fingerprint, userId }) => signer(userId ?? fingerprint, credential, path));
}

async function x509Signers({ terminal }: Invocation, path: string | undefined): Promise<readonly AllowedSigner[]> {
  if (path === undefined) return [];
  const pem = (await fileAt(path, terminal, LARGEST_LIST)).toString('latin1');
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new PortError('invalid', `${path} holds no certificate in PEM`);
  return [signer(path, { kind: 'x509-root', pem, identity: undefined }, path)];
}

function signer(name: string, credential: AllowedSigner['credential'], path: string): AllowedSigner {
  return { name, credential, purposes: ['commit'], validFrom: undefined, validUntil: undefined, place: placeInFile(path) };
}

/** A file that is named and cannot be read refuses everything: a key that is in it must not pass. */
async function revokedKeys({ options, terminal }: Invocation): Promise<SignatureQuestion['revoked']> {
  const path = fileIn(options.revokedKeys, 'revoked-keys');
  if (path === undefined) return new Set();
  const read = parseRevokedKeys(await fileAt(path, terminal, LARGEST_LIST));
  if (!read.ok) throw new PortError('invalid', `${path} is no list of revoked keys: ${read.reason}`);
  return read.value;
}

function verdictDocument({ kind, id, verdict, sentence }: JudgedObject): object {
  const nobody = { signer: null, identity: null, fingerprint: null };
  switch (verdict.kind) {
    case 'accepted': {
      const { signer: by, identity, fingerprint } = verdict;
      return { kind, id, verdict: 'accepted', code: null, signer: by, identity: identity ?? null, fingerprint, sentence };
    }
    case 'unsigned':
    case 'refused':
    case 'could-not-look':
      return { kind, id, verdict: verdict.kind, code: verdict.code, ...nobody, sentence };
  }
}
