import { placeInFile, type Problem } from '#model/problem.ts';

/** V-02: a repository whose objects have other ids than those of SHA-1. */
export function unreadableFormat(path: string): Problem {
  return {
    code: 'object-format',
    rule: 'V-02',
    severity: 'error',
    phase: 'validate',
    message: 'repository uses object format sha256, which the git backend cannot read; use a sha1 repository',
    remedy: 'Make a new repository with `git init --object-format=sha1`, and bring the files over.',
    place: placeInFile(path),
    related: [],
  };
}
