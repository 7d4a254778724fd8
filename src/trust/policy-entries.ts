import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { sha256Of } from '#model/digest.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { findsPattern } from '#model/linear-pattern.ts';
import { faultOfPathPattern } from '#model/path-pattern.ts';
import { placeInFile, type Problem } from '#model/problem.ts';
import { parsePublicKey, parseRootCertificate, publicKeyOf } from '#model/public-key.ts';
import { listed, quoted, visibleText } from '#model/quoted.ts';
import { parseSshPublicKey, sshPublicKeyText } from '#model/ssh-key.ts';
import { didYouMean } from '#model/suggest.ts';
import {
  type Credential,
  type IdentityMatch,
  personOf,
  type Threshold,
  type TrustedRootFile,
  type TrustEntry,
  type TrustPolicy,
} from '#model/trust-policy.ts';
import { readTrustedRootText } from '#model/trusted-root-text.ts';
import type { TrustPurpose } from '#model/verdict.ts';
import { parseYamlText } from '#model/yaml-text.ts';
import { windowOf } from './signers.ts';

/** The text of a file that a trust entry names, or why it cannot be read. */
export type TrustFile = { readonly text: string } | { readonly unread: string };

export interface ReadTrust {
  readonly policy: TrustPolicy;
  readonly problems: readonly Problem[];
}

type Row = NonNullable<Project['spec']['trust']>[number];
type ThresholdRow = NonNullable<Project['spec']['thresholds']>[number];

interface Reading {
  readonly project: Declared<Project>;
  readonly files: ReadonlyMap<string, TrustFile>;
  readonly problems: Problem[];
}

/** What can be read or not, as text or as the reason. */
type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly pointer: string; readonly reason: string };

const LARGEST = 262_144;
const LARGEST_ROOT = 4_194_304;

/** Files that the project names, as far as they stand where everything is judged; each with the most bytes that are read of it. */
export function trustFilesOf(project: Project | undefined): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const root = project?.spec.sigstore?.trustedRoot?.file;
  if (root !== undefined && faultOfPath(root) === undefined) found.set(root, LARGEST_ROOT);
  for (const row of project?.spec.trust ?? []) {
    const file = fileOf(row)?.path;
    if (file !== undefined && faultOfPath(file) === undefined && !found.has(file)) found.set(file, LARGEST);
  }
  return found;
}

/** Reads who may sign what. A row that cannot be used is a problem, vouches for nothing, and enforces its purposes all the same. */
export function readPolicy(project: Declared<Project> | undefined, files: ReadonlyMap<string, TrustFile>): ReadTrust {
  if (project === undefined)
    return { policy: policyOf({ entries: [], thresholds: [], enforced: [], root: undefined, files: [] }), problems: [] };
  const reading: Reading = { project, files, problems: [] };
  const rows = project.value.spec.trust ?? [];
  const entries = rows.flatMap((row, index) => readEntry(reading, row, index) ?? []);
  for (const [index, row] of rows.entries()) noteTwins(reading, rows, { row, index });
  const first = new Map(rows.toReversed().map((row): [string, Row] => [row.name, row]));
  const usable = entries.filter((item) => first.get(item.entry.name) === item.row).map((item) => item.entry);
  const thresholds = (project.value.spec.thresholds ?? []).map((row, index) => readThreshold(reading, { row, index, entries: usable }));
  const policy = policyOf({
    entries: usable,
    thresholds,
    enforced: [...rows, ...(project.value.spec.thresholds ?? [])].flatMap((row): readonly TrustPurpose[] => row.for),
    root: readRoot(reading),
    files: [...trustFilesOf(project.value).keys()],
  });
  return { policy, problems: reading.problems };
}

interface Parts extends Pick<TrustPolicy, 'entries' | 'thresholds'> {
  readonly enforced: readonly TrustPurpose[];
  readonly root: TrustedRootFile | undefined;
  readonly files: readonly string[];
}

function policyOf({ entries, thresholds, enforced, root, files }: Parts): TrustPolicy {
  const decides = {
    entries: entries.map((entry) => ({ ...entry, place: undefined })),
    thresholds: thresholds.map((threshold) => ({ ...threshold, place: undefined })),
    enforced: [...new Set(enforced)].sort(),
    files: files.toSorted(),
    trustedRoot: root?.sha256 ?? null,
  };
  const text = canonicalJson(JSON.parse(JSON.stringify(decides)) as Json);
  return { entries, thresholds, enforced: new Set(enforced), files: new Set(files), trustedRoot: root, digest: sha256Of(text) };
}

function readEntry(reading: Reading, row: Row, index: number): { readonly entry: TrustEntry; readonly row: Row } | undefined {
  const base = `/spec/trust/${index}`;
  const credential = readCredential(reading, row);
  const faults = [...(credential.ok ? [] : [credential]), ...faultsOfRow(row)];
  for (const fault of faults) {
    const isKey = !credential.ok && fault === credential;
    reading.problems.push(
      problemAt(reading, {
        code: isKey && row.sshKey !== undefined ? 'unusable-trust-key' : 'unusable-trust-entry',
        pointer: `${base}${fault.pointer}`,
        message: `trust entry ${row.name}: ${fault.reason}`,
        remedy: isKey ? remedyFor(row) : 'Correct the entry; until then it vouches for nothing.',
      }),
    );
  }
  if (!credential.ok || faults.length > 0) return undefined;
  const entry: TrustEntry = {
    name: row.name,
    user: row.user,
    credential: credential.value,
    namespaces: row.namespaces,
    purposes: row.for,
    paths: row.paths,
    validFrom: row.validFrom,
    validUntil: row.validUntil,
    place: reading.project.at(base),
  };
  return { entry, row };
}

function readCredential(reading: Reading, row: Row): Read<Credential> {
  if (row.sshKey !== undefined) return readSshKey(row.sshKey);
  if (row.issuer !== undefined) return readKeyless(row, row.issuer);
  if (typeof row.publicKey === 'string') return readPublicKey(row.publicKey, '/publicKey');
  if (row.publicKey?.secretRef !== undefined) {
    const { provider } = row.publicKey.secretRef;
    const reason = `a key that is kept elsewhere (secretRef of provider ${visibleText(provider, 60)}) is not read: whoever verifies offline must have it`;
    return { ok: false, pointer: '/publicKey/secretRef', reason };
  }
  const file = fileOf(row);
  if (file === undefined) return { ok: false, pointer: '/publicKey', reason: 'it names no key' };
  const read = textOf(reading, file.path);
  if (!read.ok) return { ok: false, pointer: file.pointer, reason: read.reason };
  if (file.kind === 'publicKey') return readPublicKey(read.value, file.pointer, file.path);
  if (file.kind === 'openpgpKey') return readOpenPgp(read.value, file);
  const root = parseRootCertificate(read.value);
  if (!root.ok) return { ok: false, pointer: file.pointer, reason: `${quoted(file.path)} cannot be used: ${root.reason}` };
  const identity = readIdentity(row);
  return identity.ok ? { ok: true, value: { kind: 'x509-root', pem: root.value, identity: identity.value } } : identity;
}

function readSshKey(text: string): Read<Credential> {
  const key = parseSshPublicKey(text);
  if (!key.ok) return { ok: false, pointer: '/sshKey', reason: `the SSH key cannot be used: ${key.reason}` };
  const spki = key.value.application === undefined ? { spkiSha256: publicKeyOf(key.value.key).spkiSha256 } : {};
  return { ok: true, value: { kind: 'ssh-key', key: sshPublicKeyText(key.value), ...spki } };
}

function readPublicKey(text: string, pointer: string, path?: string): Read<Credential> {
  const key = parsePublicKey(text);
  if (key.ok) return { ok: true, value: { kind: 'public-key', ...key.value } };
  return { ok: false, pointer, reason: `${path === undefined ? 'the public key' : quoted(path)} cannot be used: ${key.reason}` };
}

const OPENPGP = /^\s*-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^-]|-(?!----))+-----END PGP PUBLIC KEY BLOCK-----\s*$/;

/** What the block says is read where signatures are; here it is one block, and no private key. */
function readOpenPgp(text: string, file: { readonly path: string; readonly pointer: string }): Read<Credential> {
  if (OPENPGP.test(text)) return { ok: true, value: { kind: 'openpgp-key', armoured: text.trim() } };
  const reason = `${quoted(file.path)} cannot be used: it is not one armoured PGP PUBLIC KEY BLOCK`;
  return { ok: false, pointer: file.pointer, reason };
}

function readKeyless(row: Row, issuer: string): Read<Credential> {
  const identity = readIdentity(row);
  if (!identity.ok) return identity;
  if (identity.value !== undefined) return { ok: true, value: { kind: 'keyless', issuer, identity: identity.value } };
  return { ok: false, pointer: '/issuer', reason: 'an issuer alone would mean anyone whom it knows' };
}

function readIdentity({ identity, identityPattern }: Row): Read<IdentityMatch | undefined> {
  if (identity !== undefined && identityPattern !== undefined)
    return { ok: false, pointer: '/identityPattern', reason: 'identity and identityPattern exclude each other' };
  if (identity !== undefined) return { ok: true, value: { kind: 'exact', identity } };
  if (identityPattern === undefined) return { ok: true, value: undefined };
  if ([identityPattern, String.raw`\A(?:${identityPattern})\z`].some((pattern) => findsPattern(pattern, '') === undefined))
    return { ok: false, pointer: '/identityPattern', reason: `${quoted(identityPattern)} is no regular expression of RE2` };
  return { ok: true, value: { kind: 'pattern', pattern: identityPattern } };
}

function faultsOfRow(row: Row): readonly { readonly pointer: string; readonly reason: string }[] {
  const faults = faultsOfPaths(row.paths);
  if (row.issuer === undefined && row.x509Root === undefined && (row.identity ?? row.identityPattern) !== undefined)
    faults.push({
      pointer: row.identity === undefined ? '/identityPattern' : '/identity',
      reason: 'an identity belongs to an issuer or a root certificate',
    });
  if (row.namespaces !== undefined && row.sshKey === undefined)
    faults.push({ pointer: '/namespaces', reason: 'only signatures of SSH keys have namespaces' });
  const window = windowOf(row);
  for (const [end, at] of [
    ['validFrom', window.from],
    ['validUntil', window.until],
  ] as const) {
    const text = row[end];
    if (text !== undefined && at === undefined)
      faults.push({ pointer: `/${end}`, reason: `${quoted(text)} is no date, and no time with its zone (2027-01-31T00:00:00Z)` });
  }
  if (window.from !== undefined && window.until !== undefined && window.until < window.from)
    faults.push({ pointer: '/validUntil', reason: 'it ends before it begins' });
  return faults;
}

function faultsOfPaths(paths: readonly string[] | undefined): { pointer: string; reason: string }[] {
  return (paths ?? []).flatMap((path, index) => {
    const fault = faultOfPathPattern(path);
    return fault === undefined ? [] : [{ pointer: `/paths/${index}`, reason: `the path ${quoted(path)} cannot be used: ${fault}` }];
  });
}

interface NamedFile {
  readonly kind: 'openpgpKey' | 'publicKey' | 'x509Root';
  readonly path: string;
  readonly pointer: string;
}

function fileOf(row: Row): NamedFile | undefined {
  const publicFile = typeof row.publicKey === 'object' ? row.publicKey.file : undefined;
  const named = { openpgpKey: row.openpgpKey?.file, publicKey: publicFile, x509Root: row.x509Root?.file };
  for (const kind of ['openpgpKey', 'publicKey', 'x509Root'] as const) {
    const path = named[kind];
    if (path !== undefined) return { kind, path, pointer: `/${kind}/file` };
  }
  return undefined;
}

/** What nobody judges may not decide who is trusted. */
function faultOfPath(path: string): string | undefined {
  const segments = path.split('/');
  if (!/^(environments|policies)\/./.test(path)) return 'it does not stand below policies/ or environments/, where changes are judged';
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return 'it is not a plain path';
  return /[\p{C}\\]/u.test(path) ? 'it has characters that do not belong into a path' : undefined;
}

function textOf(
  reading: Reading,
  path: string,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string } {
  const fault = faultOfPath(path);
  if (fault !== undefined) return { ok: false, reason: `${quoted(path)} is not read: ${fault}` };
  const file = reading.files.get(path) ?? { unread: 'it is not there' };
  return 'text' in file ? { ok: true, value: file.text } : { ok: false, reason: `${quoted(path)} cannot be read: ${file.unread}` };
}

const NEW_ROOT =
  'Put trusted_root.json below policies/ (cosign trusted-root create, or from the TUF repository); until then no keyless signature counts.';

function readRoot(reading: Reading): TrustedRootFile | undefined {
  const path = reading.project.value.spec.sigstore?.trustedRoot?.file;
  if (path === undefined) return undefined;
  const pointer = '/spec/sigstore/trustedRoot/file';
  const file = textOf(reading, path);
  if (!file.ok) {
    const message = `spec.sigstore.trustedRoot: ${file.reason}`;
    reading.problems.push(problemAt(reading, { code: 'unusable-trusted-root', pointer, message, remedy: NEW_ROOT }));
    return undefined;
  }
  const bytes = Buffer.from(file.value, 'utf8');
  const read = readTrustedRootText(bytes);
  if (read.ok) return { path, text: file.value, sha256: sha256Of(file.value) };
  // What is JSON is YAML, too, so that a mistake has its line; where it is neither, the file is the place.
  const yaml = parseYamlText(bytes, path);
  for (const mistake of read.mistakes) {
    const message = `${quoted(path)} is no trusted root of sigstore: ${mistake.pointer || 'it'} ${mistake.reason}`;
    const problem = problemAt(reading, { code: 'unusable-trusted-root', pointer, message, remedy: NEW_ROOT });
    // One about all of the file is one about its being named.
    const inside = yaml.ok ? yaml.value.at(mistake.pointer) : placeInFile(path);
    reading.problems.push(mistake.pointer === '' ? problem : { ...problem, place: inside });
  }
  return undefined;
}

/** Two rows of one name could not be told apart where only the name is written down. */
function noteTwins(reading: Reading, rows: readonly Row[], { row, index }: { readonly row: Row; readonly index: number }): void {
  if (rows.findIndex((other) => other.name === row.name) === index) return;
  reading.problems.push(
    problemAt(reading, {
      code: 'unusable-trust-entry',
      pointer: `/spec/trust/${index}/name`,
      message: `trust entry ${row.name}: an earlier entry has the same name`,
      remedy: 'Give it a name of its own (two keys of one person: ada-laptop and ada-phone, both with `user: ada`).',
    }),
  );
}

interface ThresholdAt {
  readonly row: ThresholdRow;
  readonly index: number;
  readonly entries: readonly TrustEntry[];
}

/** A threshold that nobody can reach still holds: what cannot be allowed is not. */
function readThreshold(reading: Reading, { row, index, entries }: ThresholdAt): Threshold {
  const base = `/spec/thresholds/${index}`;
  const threshold: Threshold = {
    name: row.name,
    purposes: row.for,
    // A path that cannot be read could mean any.
    paths: faultsOfPaths(row.paths).length > 0 ? undefined : row.paths,
    of: row.of,
    atLeast: row.atLeast,
    place: reading.project.at(base),
  };
  const names = (reading.project.value.spec.trust ?? []).map((entry) => entry.name);
  const faults = faultsOfPaths(row.paths);
  for (const [at, name] of (row.of ?? []).entries()) {
    if (!names.includes(name))
      reading.problems.push(
        problemAt(reading, {
          code: 'reference-undeclared',
          rule: 'V-97',
          pointer: `${base}/of/${at}`,
          message: `${base}/of/${at} names trust entry ${quoted(name)}, which is not declared (known: ${listed(names.toSorted())})${didYouMean(name, names)}`,
          remedy: names.length === 0 ? 'Declare the trust entry, or take the reference away.' : 'Use a declared one, or declare it.',
        }),
      );
  }
  for (const purpose of row.for) {
    const people = new Set(
      entries.filter((entry) => entry.purposes.includes(purpose) && (row.of?.includes(entry.name) ?? true)).map((entry) => personOf(entry)),
    );
    if (people.size < row.atLeast)
      faults.push({
        pointer: '/atLeast',
        reason: `${row.atLeast} people must sign for ${purpose}, but its entries are of ${people.size}: nothing can pass`,
      });
  }
  for (const fault of faults)
    reading.problems.push(
      problemAt(reading, {
        code: 'unusable-threshold',
        pointer: `${base}${fault.pointer}`,
        message: `threshold ${row.name}: ${fault.reason}`,
        remedy: 'Correct the threshold; until then it refuses whatever it matches.',
      }),
    );
  return threshold;
}

function remedyFor(row: Row): string {
  if (row.sshKey !== undefined)
    return 'Write the type and the base64 text of the .pub file; use an ed25519, ECDSA or RSA key of at least 2048 bits.';
  if (row.issuer !== undefined) return 'Name identity exactly, or identityPattern as a regular expression for the whole of it.';
  return 'Put the key itself (never a private one) into a file below policies/, such as policies/trust/release.pub, and name that.';
}

interface Said {
  readonly code: string;
  readonly rule?: string;
  readonly pointer: string;
  readonly message: string;
  readonly remedy: string;
}

function problemAt({ project }: Reading, { code, rule, pointer, message, remedy }: Said): Problem {
  return { code, rule, severity: 'error', phase: 'validate', message, remedy, place: project.at(pointer), related: [] };
}
