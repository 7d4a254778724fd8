import { valueText } from '#model/field-lines.ts';
import { pointerKeys } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { cell } from '#model/markdown.ts';
import type { FieldChange } from '#model/plan.ts';
import { findSecrets } from '#model/secret-scan.ts';
import type { DriftFinding } from './drift-findings.ts';

export interface DriftWords {
  readonly environment: string;
  readonly file: string;
  readonly findings: readonly DriftFinding[];
  /** The engine's key alone does not make the merge count. */
  readonly needsSignature: boolean;
}

/** Of one object; the rest is counted. */
const MOST_FIELDS = 40;
/** A pull request's body is bounded by forges. */
const MOST_OBJECTS = 60;

export function driftTitle({ environment, findings }: Pick<DriftWords, 'environment' | 'findings'>): string {
  const adopted = findings.filter((finding) => finding.adopting.kind === 'patch');
  const [first, ...rest] = adopted;
  const name = first === undefined ? 'nothing' : `${first.object.key.kind} ${first.object.key.name}`;
  return `drift(${environment}): adopt what was changed in ${name}${rest.length === 0 ? '' : ` and ${rest.length} more`}`;
}

/** What people decide about: the same for the same drift. */
export function driftBody(words: DriftWords): string {
  const { environment, file, findings } = words;
  const adopted = findings.filter((finding) => finding.adopting.kind === 'patch');
  const left = findings.filter((finding) => finding.adopting.kind === 'left');
  return [
    `What runs in **${cell(environment)}** was changed outside git.`,
    '',
    `- **Merge** this to adopt it: the patches below become part of \`${file}\`, and git says what runs.`,
    '- **Close** this to revert it: the next run brings everything named here back to what git says.',
    '',
    'Until then nothing of it is touched. What git newly wants of these objects is applied all the same.',
    ...(words.needsSignature
      ? [
          '',
          'The key of the engine is not trusted for commits here, so a merge by the forge alone would not count: merge with a signature of ' +
            'your own (`git merge --no-ff -S`), or add `commit` to the purposes of the engine in `environments/project.yaml` first.',
        ]
      : []),
    ...adopted.slice(0, MOST_OBJECTS).flatMap(objectLines),
    ...more(adopted.length - MOST_OBJECTS, 'object'),
    ...(left.length === 0
      ? []
      : ['', '### Not part of this change', '', 'Closing reverts these as well; merging leaves them as they are.', '']),
    ...left.slice(0, MOST_OBJECTS).map((finding) => `- ${nameOf(finding)}${whoOf(finding)}: ${cell(reasonOf(finding))}`),
    ...more(left.length - MOST_OBJECTS, 'object'),
    '',
  ].join('\n');
}

function objectLines(finding: DriftFinding): readonly string[] {
  const changes = finding.changes ?? [];
  return [
    '',
    `### ${nameOf(finding)}`,
    '',
    `On ${finding.targets.map((target) => cell(target)).join(', ')}${whoOf(finding)}.`,
    '',
    '| Field | In git | What is there |',
    '| --- | --- | --- |',
    ...changes.slice(0, MOST_FIELDS).map(fieldLine),
    ...more(changes.length - MOST_FIELDS, 'field'),
  ];
}

function fieldLine({ path, before, after }: FieldChange): string {
  return `| ${cell(path)} | ${shown(path, before)} | ${shown(path, after)} |`;
}

function shown(path: string, value: unknown): string {
  const secret = secretIn(path, value);
  return cell(secret === undefined ? valueText(value) : `(not shown: ${secret})`);
}

/** What a value looks like that must not be shown or written to git: by its form, or by the name of its field. */
export function secretIn(path: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const name = pointerKeys(path).findLast((key) => !/^\d+$/.test(key)) ?? 'value';
  const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, 1);
  return findSecrets(Buffer.from(`${name}: ${text}\n`, 'utf8'))[0]?.type;
}

function nameOf({ object }: DriftFinding): string {
  return cell(keyText(object.key));
}

function whoOf({ changedBy }: DriftFinding): string {
  return changedBy.length === 0 ? '' : `, changed by ${changedBy.map((manager) => cell(manager, 80)).join(', ')}`;
}

function reasonOf({ adopting }: DriftFinding): string {
  return adopting.kind === 'left' ? adopting.reason : '';
}

function more(count: number, noun: string): readonly string[] {
  return count <= 0 ? [] : ['', `and ${count} more ${noun}${count === 1 ? '' : 's'}`];
}
