import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleFile, CapsuleSource, Declared } from '#model/desired.ts';
import { listDigest, sha256Of, type TreeId } from '#model/digest.ts';
import { toCapsuleName } from '#model/names.ts';
import { compareText, type Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { capsuleFileProblem, irregular } from './irregular.ts';

export interface CapsuleContent {
  /** `capsules/<name>` */
  readonly directory: string;
  readonly gitTree: TreeId;
  /** Every entry below the directory but trees, symbolic links and submodules included, so that V-10 can name them. */
  readonly files: readonly CapsuleFile[];
  readonly contents: ReadonlyMap<string, Uint8Array>;
  readonly declared: Declared<Capsule>;
}

export interface ReadCapsule {
  readonly source: CapsuleSource | undefined;
  readonly problems: readonly Problem[];
}

/** Puts a capsule's directory together (V-10); its sha256 is the digest of its regular files. */
export function readCapsule(content: CapsuleContent): ReadCapsule {
  const problems = fileProblems(content);
  if (problems.length > 0) return { source: undefined, problems };
  const rows = content.files.map((file) => {
    const bytes = content.contents.get(file.path);
    if (bytes === undefined) throw new Error(`no content of ${content.directory}/${file.path}`);
    return { path: file.path, sha256: sha256Of(bytes) };
  });
  const { directory, gitTree, declared, contents } = content;
  const files = [...content.files].sort((a, b) => compareText(a.path, b.path));
  return {
    source: { name: toCapsuleName(declared.value.metadata.name), directory, gitTree, sha256: listDigest(rows), declared, files, contents },
    problems: [],
  };
}

/** V-10 alone, for a directory whose capsule.yaml itself is no regular file. */
export function fileProblems(content: Pick<CapsuleContent, 'directory' | 'files'>): readonly Problem[] {
  const problems: Problem[] = [];
  const spellings = new Map<string, string>();
  for (const file of [...content.files].sort((a, b) => compareText(a.path, b.path))) {
    const path = `${content.directory}/${file.path}`;
    if (file.mode !== '100644' && file.mode !== '100755') problems.push(irregular(path, file.mode));
    if (hasControl(file.path)) problems.push(capsuleFileProblem(path, 'has a line break or control character in its name'));
    const twin = twinOf(file.path, spellings);
    if (twin !== undefined)
      problems.push(capsuleFileProblem(path, `and ${visibleText(`${content.directory}/${twin}`)} differ only in case or accents`));
  }
  return problems;
}

function hasControl(path: string): boolean {
  return /\p{Cc}/u.test(path);
}

/** Another spelling of one of the path's prefixes that a case-insensitive or normalising file system cannot tell from it. */
function twinOf(path: string, spellings: Map<string, string>): string | undefined {
  let found: string | undefined;
  for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
    const prefix = end < 0 ? path : path.slice(0, end);
    const folded = prefix.normalize('NFC').toLowerCase();
    const known = spellings.get(folded);
    if (known === undefined) spellings.set(folded, prefix);
    else if (known !== prefix) found ??= known;
    if (end < 0) return found;
  }
}
