import type { Node } from 'yaml';

import { pointerKeys } from '#model/json.ts';
import { yaml } from '#model/on-demand.ts';
import type { Place } from '#model/problem.ts';

/**
 * The line of a value in a stream that was read before: `document` is the place that it had (its pointer is that of the object in its
 * document), `pointer` goes on from there. What is not written there is where its nearest parent is.
 */
export function placeInKubernetesYaml(text: string, document: Place, pointer: string): Place {
  const lines = new (yaml().LineCounter)();
  const whole = `${document.pointer ?? ''}${pointer}`;
  for (const parsed of yaml().parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false, logLevel: 'silent', lineCounter: lines })) {
    const start = parsed.contents?.range?.[0];
    if (start === undefined || lines.linePos(start).line !== document.line) continue;
    const offset = offsetOf(parsed.contents, pointerKeys(whole)) ?? start;
    const { line, col } = lines.linePos(offset);
    return { file: document.file, line, column: col, pointer: whole };
  }
  return document;
}

function offsetOf(root: unknown, keys: readonly string[]): number | undefined {
  let here: unknown = root;
  let offset: number | undefined;
  for (const key of keys) {
    if (yaml().isMap(here)) {
      const pair = here.items.find((item) => yaml().isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined || !yaml().isScalar(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      here = pair.value;
    } else if (yaml().isSeq(here)) {
      const item = here.items[Number(key)] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      here = item;
    } else return offset;
  }
  return offset;
}
