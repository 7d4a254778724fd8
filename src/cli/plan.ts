import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { reconcile } from '#loops/reconcile.ts';
import type { TargetRun } from '#loops/sync-target.ts';
import { fieldLines } from '#model/field-lines.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Step } from '#model/plan.ts';
import type { Invocation } from './cli.ts';
import { endingDocument, exitCodeOfEnding, isRefusal, printEnding } from './endings.ts';
import { EXIT } from './exit-code.ts';
import { countOf, outputFormat, printDocument, printProblems, printable } from './output.ts';
import { placeOf } from './repository.ts';

export async function plan({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    const result = await reconcile(
      world,
      { environment: words[0] ?? '', target: options.target as string | undefined, trigger: 'person', dryRun: true, preview: true },
      terminal.signal,
    );
    if (result.runs.length === 0) {
      if (format === 'json')
        printDocument(terminal, 'Plan', {
          environment: words[0],
          revision: result.revision ?? null,
          targets: [],
          summary: summaryOf([]),
          ...endingDocument(result.ending),
        });
      printEnding(terminal, result.ending);
      return exitCodeOfEnding(result.ending);
    }
    const document = planDocument(words[0] ?? '', result.revision ?? null, result.runs);
    if (typeof options.save === 'string')
      await writeFile(
        resolve(terminal.cwd, options.save),
        `${JSON.stringify({ apiVersion: 'capstan.dev/v1alpha1', kind: 'Plan', formatVersion: 1, ...document }, undefined, 2)}\n`,
      );
    if (format === 'json') printDocument(terminal, 'Plan', document);
    else terminal.out(result.runs.map(planText).join(''));
    for (const notice of result.notices) terminal.say(`note: ${printable(notice)}\n`);
    const problems = result.runs.flatMap((run) => run.problems);
    printProblems(terminal, problems);
    if (result.runs.some(isRejected)) return EXIT.failed;
    if (problems.some((problem) => problem.severity === 'error')) return EXIT.refused;
    const isChange = result.runs.some((run) => run.plan.steps.some((step) => step.action !== 'keep'));
    return isChange && options.detailedExitcode === true ? EXIT.changes : EXIT.ok;
  } finally {
    await world.close();
  }
}

function planDocument(environment: string, revision: string | null, runs: readonly TargetRun[]): object {
  return {
    environment,
    revision,
    targets: runs.map((run) => ({
      name: run.plan.target,
      rendering: run.plan.rendering,
      basis: run.plan.basis,
      steps: run.plan.steps.map((step) => ({
        action: step.action,
        key: step.key,
        path: step.path,
        reason: step.reason,
        sha256: 'sha256' in step ? step.sha256 : null,
        fields: (run.preview?.get(step.path)?.fields ?? []).map(({ path, before, after }) => ({
          path,
          before: before ?? null,
          after: after ?? null,
        })),
      })),
    })),
    summary: summaryOf(runs.flatMap((run) => run.plan.steps)),
  };
}

function summaryOf(steps: readonly Step[]): object {
  const count = (action: Step['action']): number => steps.filter((step) => step.action === action).length;
  return { create: count('create'), update: count('update'), prune: count('prune'), adopt: count('adopt'), keep: count('keep') };
}

const MOST_LINES = 40;

/** What is made anew is told by its name; all of its fields are in the JSON. */
function changesText(step: Step, preview: TargetRun['preview']): string {
  if (step.action === 'create' || step.action === 'prune') return '';
  const fields = (preview?.get(step.path)?.fields ?? []).map((field) => ({ ...field, field: field.path }));
  return fieldLines({ fields }, MOST_LINES)
    .map((line) => `      ${line}\n`)
    .join('');
}

const SIGN = { create: '+', update: '~', adopt: '!', prune: '-', keep: ' ' } as const;

/** The target would not take it as it is. */
function isRejected({ preview }: TargetRun): boolean {
  return [...(preview?.values() ?? [])].some(({ problem }) => problem?.severity === 'error' && !isRefusal(problem.code));
}

function planText({ plan: found, preview }: TargetRun): string {
  const moving = found.steps.filter((step) => step.action !== 'keep');
  const rows = moving
    .map(
      (step) =>
        `  ${SIGN[step.action]} ${step.action.padEnd(6)} ${printable(keyText(step.key))}  (${printable(step.reason)})\n${changesText(step, preview)}`,
    )
    .join('');
  const drift = found.drifted.map((key) => `  ! drift  ${printable(keyText(key))}\n`).join('');
  return `${found.environment}/${found.target}: ${moving.length === 0 ? 'nothing to do' : countOf(moving.length, 'step')}, ${found.steps.length - moving.length} as they should be\n${rows}${drift}`;
}
