import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { type Lines, schemaLines } from '#loops/lines.ts';
import type { RenderedEnvironment } from '#loops/render-environment.ts';
import { renderAt } from '#loops/rendered-difference.ts';
import type { RenderedAt } from '#loops/rendered-difference.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { outputFormat, printDocument, printProblems } from './output.ts';
import { chooseEnvironments, placeOf, snapshotOf } from './repository.ts';

export async function render({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['yaml', 'json']);
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    const at = await snapshotOf(world, options.rev as string | undefined);
    const declarations = await at.world.reading.declarations(at.snapshot);
    const problems: Problem[] = declarations.problems.filter((problem) => problem.severity === 'error');
    const documents: object[] = [];
    for (const environment of chooseEnvironments(declarations.state.environments, words, options.all === true)) {
      const rendered = await renderAt(at.world, declarations, environment.name, terminal.signal);
      if (rendered === undefined) continue;
      if (!rendered.result.ok) {
        problems.push(...rendered.result.problems);
        continue;
      }
      if (rendered.fresh)
        terminal.say(
          `${environment.name} has no lock; this is the newest version of everything. 'capstan lock ${environment.name}' writes one.\n`,
        );
      const { value } = rendered.result;
      if (typeof options.out === 'string') await writeTree(resolve(terminal.cwd, options.out, environment.name), value);
      else if (format === 'yaml')
        terminal.out(
          value.rendering.targets
            .flatMap((target) => target.objects.map((object) => `---\n# ${target.target.name}/${object.path}\n${object.text}`))
            .join(''),
        );
      const pins = value.resolution.instances.map(({ pin }) => ({ name: pin.capsule, tree: pin.gitTree }));
      const lines = (await at.world.reading.capsules(pins)).flatMap(({ source }) => (source === undefined ? [] : schemaLines(source)));
      documents.push(renderingDocument(rendered, value, { revision: at.snapshot.commit, withObjects: options.objects === true, lines }));
    }
    printProblems(terminal, problems);
    const [only] = documents;
    if (format === 'json' && only !== undefined) {
      if (documents.length === 1) printDocument(terminal, 'Rendering', only);
      else printDocument(terminal, 'RenderingList', { items: documents });
    }
    return problems.length > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await world.close();
  }
}

/** Exactly the tree of `rendered/<env>`: files of an earlier run in the same folder go away. */
async function writeTree(root: string, value: RenderedEnvironment): Promise<void> {
  for (const target of value.rendering.targets) {
    const folder = join(root, target.target.name);
    await rm(folder, { recursive: true, force: true });
    for (const object of target.objects) await writeWhole(join(folder, object.path), object.text);
    await writeWhole(join(folder, 'render.metadata'), target.metadata);
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

interface Shown {
  readonly revision: string | undefined;
  readonly withObjects: boolean;
  /** Of configuration schemas. */
  readonly lines: readonly Lines[];
}

/** `file:line` of a value of the configuration. */
function originText(place: Place, lines: readonly Lines[]): string {
  const { file, pointer } = place;
  const known = place.line === undefined ? lines.find((item) => item.file === file)?.at(pointer ?? '') : place;
  return known?.line === undefined ? (file ?? '') : `${file ?? ''}:${known.line}`;
}

function renderingDocument(at: RenderedAt, value: RenderedEnvironment, shown: Shown): object {
  const { revision, withObjects, lines } = shown;
  const configurations = value.configurations();
  return {
    environment: at.environment.name,
    revision: revision ?? null,
    digest: value.rendering.digest,
    targets: value.rendering.targets.map((target) => ({
      name: target.target.name,
      digest: target.digest,
      instances: Object.fromEntries(
        [...target.instances].map(([name, facts]) => {
          const configuration = configurations.get(`${target.target.name} ${name}`);
          const commit = value.resolution.instances.find((item) => item.pin.instance === name)?.pin.commit ?? null;
          const origins = Object.fromEntries(
            [...(configuration?.origins ?? [])].map(([pointer, place]) => [pointer, originText(place, lines)]),
          );
          return [
            name,
            {
              capsule: facts.capsule,
              version: facts.version,
              commit,
              gitTree: facts.gitTree,
              sha256: facts.sha256,
              wave: facts.wave,
              config: configuration?.value ?? {},
              origins,
            },
          ];
        }),
      ),
      objects: target.objects.map((object) => ({
        key: object.key,
        instance: object.instance,
        path: object.path,
        sha256: object.sha256,
        ...(withObjects ? { object: object.object } : {}),
      })),
    })),
  };
}
