import { writeFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';

import { overlay } from '#loops/overlay.ts';
import { renderedDifference } from '#loops/rendered-difference.ts';
import type { RenderedDifference } from '#loops/rendered-difference.ts';
import type { FieldDifference } from '#model/field-change.ts';
import type { EnvironmentDifference } from '#model/rendered-diff.ts';
import { didYouMean } from '#model/suggest.ts';
import type { Invocation } from './cli.ts';
import { differenceMarkdown, MARKDOWN_LIMIT } from './diff-markdown.ts';
import { differenceText } from './diff-text.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { documentText, outputFormat, printable, printProblems } from './output.ts';
import { commitOf, placeOf } from './repository.ts';

export async function diff({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'md', 'json']);
  if (options.base === undefined && options.head !== undefined) throw new UsageError('say what to compare --head with: --base REVISION');
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    if (options.base === undefined && world.workingDirectory === undefined)
      throw new UsageError('there is no working directory here to compare with HEAD: say --base REVISION');
    const base = await world.reading.at(await commitOf(world, (options.base as string | undefined) ?? 'HEAD'));
    const directory =
      options.head === undefined && world.workingDirectory !== undefined ? await world.workingDirectory.snapshot() : undefined;
    const head =
      directory === undefined
        ? await world.reading.at(await commitOf(world, (options.head as string | undefined) ?? world.settings.branch))
        : { tree: directory.tree, commit: undefined };
    const compared = { base, head, only: words };
    const found = await renderedDifference(directory === undefined ? world : overlay(world, directory.reader), compared, terminal.signal);
    const strange = words.find((word) => !found.declared.includes(word));
    if (strange !== undefined)
      throw new UsageError(`there is no environment "${printable(strange)}" on either side${didYouMean(strange, found.declared)}`);
    printProblems(terminal, found.problems);
    for (const name of found.unlocked) terminal.say(`${name} has no lock; what is shown is the newest version of everything.\n`);
    const document = { base: base.commit ?? null, head: head.commit ?? null, environments: found.environments.map(environmentDocument) };
    const whole = options.whole as string | undefined;
    if (format === 'json') terminal.out(documentText('RenderedDiff', document));
    else if (format === 'md') terminal.out(differenceMarkdown(found.environments, { limit: MARKDOWN_LIMIT, whole }));
    else terminal.out(textOf(found));
    if (whole !== undefined) {
      const text = extname(whole) === '.json' ? documentText('RenderedDiff', document) : wholeOf(found, extname(whole));
      await writeFile(resolve(terminal.cwd, whole), text);
    }
    if (found.problems.length > 0) return EXIT.failed;
    return options.detailedExitcode === true && found.environments.length > 0 ? EXIT.changes : EXIT.ok;
  } finally {
    await world.close();
  }
}

function environmentDocument({ lock, targets, ...rest }: EnvironmentDifference): object {
  return {
    ...rest,
    lock: lock.map(fieldDocument),
    targets: targets.map(({ name, objects }) => ({
      name,
      objects: objects.map((object) => ({ ...object, fields: object.fields.map(fieldDocument) })),
    })),
  };
}

function fieldDocument({ path, field, before, after }: FieldDifference): object {
  return { path, field, before: before ?? null, after: after ?? null };
}

function textOf({ environments, problems }: RenderedDifference): string {
  return environments.length === 0 && problems.length === 0 ? 'nothing rendered changes\n' : differenceText(environments);
}

/** Markdown that folds nothing where the file's name asks for it, else text. */
function wholeOf(found: RenderedDifference, extension: string): string {
  const isMarkdown = extension === '.md' || extension === '.markdown';
  return isMarkdown ? differenceMarkdown(found.environments, { limit: Infinity, whole: undefined }) : textOf(found);
}
