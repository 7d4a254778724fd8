import { overlay } from '#loops/overlay.ts';
import { renderedDifference } from '#loops/rendered-difference.ts';
import type { RenderedDifference } from '#loops/rendered-difference.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectDifference } from '#model/rendered-diff.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printDocument, printProblems, printable } from './output.ts';
import { commitOf, placeOf } from './repository.ts';

export async function diff({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'md', 'json']);
  if (typeof options.base !== 'string') throw new UsageError('say what to compare with: --base REVISION');
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true, renders: true }, terminal);
  try {
    const base = await world.reading.at(await commitOf(world, options.base));
    const directory =
      options.head === undefined && world.workingDirectory !== undefined ? await world.workingDirectory.snapshot() : undefined;
    const head =
      directory === undefined
        ? await world.reading.at(await commitOf(world, (options.head as string | undefined) ?? world.settings.branch))
        : { tree: directory.tree, commit: undefined };
    const found = await renderedDifference(directory === undefined ? world : overlay(world, directory.reader), base, head, terminal.signal);
    printProblems(terminal, found.problems);
    for (const name of found.unlocked) terminal.say(`${name} has no lock; what is shown is the newest version of everything.\n`);
    if (format === 'json')
      printDocument(terminal, 'RenderedDiff', {
        base: base.commit ?? null,
        head: head.commit ?? null,
        environments: found.environments.map((item) => ({
          name: item.name,
          digest: item.digest,
          targets: item.targets.map((target) => ({ name: target.name, objects: target.objects.map(objectDocument) })),
        })),
      });
    else terminal.out(format === 'md' ? markdown(found) : text(found));
    if (found.problems.length > 0) return EXIT.failed;
    return options.detailedExitcode === true && found.environments.length > 0 ? EXIT.changes : EXIT.ok;
  } finally {
    await world.close();
  }
}

function objectDocument(object: ObjectDifference): object {
  return {
    ...object,
    fields: object.fields.map((field) => ({ path: field.path, before: field.before ?? null, after: field.after ?? null })),
  };
}

const SIGN = { create: '+', update: '~', delete: '-' } as const;

function text(found: RenderedDifference): string {
  if (found.environments.length === 0) return found.problems.length === 0 ? 'nothing rendered changes\n' : '';
  return found.environments
    .map(
      (environment) =>
        `${environment.name}: ${shortDigest(environment.digest.base)} -> ${shortDigest(environment.digest.head)}\n${environment.targets.map((target) => `  ${target.name}\n${target.objects.map((object) => objectText(object, '    ')).join('')}`).join('')}`,
    )
    .join('');
}

function objectText(object: ObjectDifference, indent: string): string {
  if (object.noise) return `${indent}${SIGN[object.change]} ${printable(keyText(object.key))}  (only versions and digests)\n`;
  const danger = object.danger.length === 0 ? '' : `  [${object.danger.join(', ')}]`;
  const fields = object.fields
    .map((field) => `${indent}    ${printable(field.path)}: ${valueText(field.before)} -> ${valueText(field.after)}\n`)
    .join('');
  return `${indent}${SIGN[object.change]} ${printable(keyText(object.key))}${danger}\n${fields}`;
}

function valueText(value: unknown): string {
  const shown = value === undefined ? '(absent)' : JSON.stringify(value);
  return printable(shown.length > 120 ? `${shown.slice(0, 119)}…` : shown);
}

function shortDigest(digest: string | null): string {
  return digest === null ? '(none)' : digest.slice(0, 12);
}

/** Markdown for a job summary or a comment; objects fold. */
function markdown(found: RenderedDifference): string {
  if (found.environments.length === 0) return 'Nothing rendered changes.\n';
  return found.environments
    .map((environment) => {
      const objects = environment.targets.flatMap((target) => target.objects);
      const count = (change: ObjectDifference['change']): number => objects.filter((object) => object.change === change).length;
      const dangers = [...new Set(objects.flatMap((object) => object.danger))].sort();
      const body = environment.targets
        .map(
          (target) =>
            `**${target.name}**\n\n\`\`\`diff\n${target.objects.map((object) => objectText(object, '').replace(/^~/, '!')).join('')}\`\`\`\n`,
        )
        .join('\n');
      return `### ${environment.name}\n\n${count('create')} created, ${count('update')} updated, ${count('delete')} deleted${dangers.length === 0 ? '' : `; **danger: ${dangers.join(', ')}**`}. Digest \`${shortDigest(environment.digest.base)}\` → \`${shortDigest(environment.digest.head)}\`.\n\n<details><summary>objects</summary>\n\n${body.replaceAll('</details>', '')}\n</details>\n`;
    })
    .join('\n');
}
