import type { JsonObject } from '#model/json.ts';
import { jsonText } from '#model/json.ts';
import { plainSentence } from './plain-sentence.ts';
import { conditionOf, conditionsOf, isFalse, isTrue, numberAt, objectAt, objectsAt, saying, told } from './seen.ts';

/** What keeps one pod from being ready. */
export interface PodTrouble {
  /** What it says of itself after its name: `is in ImagePullBackOff: …`. */
  readonly words: string;
  /** Lower is worse. */
  readonly rank: number;
  /** Only another version can end it. */
  readonly isLasting: boolean;
}

/** So many crashes of one container are more than a start that waits for something else: about five minutes of waiting in between. */
const CRASHES = 5;
const NAMED = 2;
const LONGEST_NAME = 48;

/** Reasons of waiting, the worst first. */
const WAITING: readonly string[] = [
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
];
const STARTING = 'is starting';
const RANK = { ended: 10, unschedulable: 20, failed: 30, notReady: 40, starting: 50 } as const;

/** `; pod a is in …; pod b …`: the worst two; empty where no pod has anything to say. */
export function podWords(pods: readonly JsonObject[]): string {
  const troubled = pods
    .flatMap((pod) => {
      const trouble = podTrouble(objectAt(pod, 'status'));
      return trouble === undefined || trouble.words === STARTING ? [] : [{ trouble, name: podName(pod) }];
    })
    .toSorted((a, b) => a.trouble.rank - b.trouble.rank || (a.name < b.name ? -1 : 1));
  const named = troubled.slice(0, NAMED);
  const [first, second] = named;
  if (first === undefined) return '';
  const others = troubled.length - NAMED;
  if (second !== undefined && second.trouble.words === first.trouble.words) {
    const names = others > 0 ? `${first.name}, ${second.name} and ${others} more` : `${first.name} and ${second.name}`;
    return `; pods ${names}: each ${first.trouble.words}`;
  }
  return `${named.map(({ trouble, name }) => `; pod ${name} ${trouble.words}`).join('')}${others > 0 ? ` (and ${others} more)` : ''}`;
}

/** Whether one of them has a trouble that only another version ends. */
export function areLost(pods: readonly JsonObject[]): boolean {
  return pods.some((pod) => podTrouble(objectAt(pod, 'status'))?.isLasting === true);
}

/** Undefined where a pod is ready or has done its work. */
export function podTrouble(status: JsonObject): PodTrouble | undefined {
  const conditions = conditionsOf(status);
  const { phase } = status;
  if (phase === 'Succeeded' || isTrue(conditionOf(conditions, 'Ready'))) return undefined;
  const containers = [...objectsAt(status, 'initContainerStatuses'), ...objectsAt(status, 'containerStatuses')];
  const worst = containers.flatMap((container) => containerTrouble(container) ?? []).toSorted((a, b) => a.rank - b.rank)[0];
  if (worst !== undefined) return worst;
  if (phase === 'Failed') {
    const why = jsonText(status['reason']);
    return {
      words: told(why === '' ? 'failed' : `failed (${plainSentence(why, LONGEST_NAME)})`, status['message']),
      rank: RANK.failed,
      isLasting: false,
    };
  }
  const scheduled = conditionOf(conditions, 'PodScheduled');
  if (isFalse(scheduled) && scheduled?.['reason'] === 'Unschedulable') {
    return { words: told('cannot be scheduled', scheduled['message']), rank: RANK.unschedulable, isLasting: false };
  }
  if (phase === 'Running') {
    const ready = conditionOf(conditions, 'Ready');
    return { words: told('runs and is not ready', saying(ready)), rank: RANK.notReady, isLasting: false };
  }
  return { words: STARTING, rank: RANK.starting, isLasting: false };
}

function containerTrouble(container: JsonObject): PodTrouble | undefined {
  const state = objectAt(container, 'state');
  const waiting = objectAt(state, 'waiting');
  const reason = jsonText(waiting['reason']);
  const rank = WAITING.indexOf(reason);
  if (reason === 'CrashLoopBackOff') {
    const end = endOf(container, objectAt(objectAt(container, 'lastState'), 'terminated'));
    return { words: `is in ${reason}: ${end}`, rank, isLasting: numberAt(container, 'restartCount') >= CRASHES };
  }
  if (rank >= 0) return { words: told(`is in ${reason}`, waiting['message']), rank, isLasting: reason === 'InvalidImageName' };
  const terminated = objectAt(state, 'terminated');
  if (terminated['exitCode'] === undefined || terminated['exitCode'] === 0) return undefined;
  return { words: `has ended: ${endOf(container, terminated)}`, rank: RANK.ended, isLasting: false };
}

/** `container web ended with exit code 137 (OOMKilled)`; never its message, which may be the end of a log with secrets in it. */
function endOf(container: JsonObject, terminated: JsonObject): string {
  const name = plainSentence(jsonText(container['name']), LONGEST_NAME);
  const reason = plainSentence(jsonText(terminated['reason']), LONGEST_NAME);
  const code = terminated['exitCode'];
  const how = typeof code === 'number' ? ` with exit code ${code}` : '';
  return `container ${name} ended${how}${reason === '' || reason === 'Error' ? '' : ` (${reason})`}`;
}

function podName(pod: JsonObject): string {
  return plainSentence(jsonText(objectAt(pod, 'metadata')['name']), LONGEST_NAME) || 'without a name';
}
