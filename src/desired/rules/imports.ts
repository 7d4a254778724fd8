import type { RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { importSteps } from '#model/imports.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';

/** As the git adapter has it: https, or a path of this machine, which only works where the configuration lists it. */
const ADDRESS = /^(https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/[^\s@?#\\]*|\/[^\s]*)$/;

/** `spec.imports`: where from, and V-04: a name means one capsule. */
export function importProblems(context: RuleContext): readonly Problem[] {
  const first = new Map<string, { readonly url: string; readonly by: CapsuleSource; readonly place: Place }>();
  return context.state.capsules.flatMap((capsule) =>
    Object.entries(capsule.declared.value.spec.imports ?? {}).flatMap(([name, { url, path }]) => {
      const place = capsule.declared.at(`/spec/imports${pointerToken(name)}`);
      const before = first.get(name);
      if (before === undefined) first.set(name, { url, by: capsule, place });
      const problems: Problem[] = [];
      if (!ADDRESS.test(url)) {
        problems.push(
          problemOf({
            code: 'import-address',
            rule: 'V-17',
            place: capsule.declared.at(`/spec/imports${pointerToken(name)}/url`),
            message: `import ${quoted(name)} of ${capsule.name} does not come by https, or its address has a user, a query or a fragment`,
            remedy: 'Write an https address without user, query or fragment.',
          }),
        );
      }
      if (importSteps(path) === undefined) {
        problems.push(
          problemOf({
            code: 'import-address',
            rule: 'V-17',
            place: capsule.declared.at(`/spec/imports${pointerToken(name)}/path`),
            message: `import ${quoted(name)} of ${capsule.name} names ${quoted(path)}, which is no folder inside of the other repository`,
            remedy: 'Write the path of the capsule from the root of that repository, such as capsules/redis.',
          }),
        );
      }
      const own = context.capsules.get(name);
      const other = own === undefined ? (before?.url === url ? undefined : before?.place) : own.declared.at('/metadata/name');
      if (other !== undefined) {
        const a = own === undefined ? `import of ${before?.by.name ?? ''}` : own.directory;
        problems.push(
          problemOf({
            code: 'declared-twice',
            rule: 'V-04',
            place,
            message: `capsule ${quoted(name)} is declared twice: ${a} and import of ${capsule.name}`,
            remedy: 'A name means one capsule: take the import out, or rename the capsule.',
            related: relatedTo(other, 'declared here'),
          }),
        );
      }
      return problems;
    }),
  );
}
