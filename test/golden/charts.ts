import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { ForeignRequest } from '#model/foreign.ts';
import type { RenderUnit } from '#model/rendering.ts';
import { foreignRequests } from '#render/render.ts';
import { capsule } from './golden.ts';

const CASE = 'render-charts';

/** The unit of the case, not yet answered. */
export function chartUnit(): RenderUnit {
  return capsule(CASE, 'shop', { config: { greeting: 'hola', replicas: 3 } });
}

/** What helm and kustomize said when they were asked; test/live compares it with what they say now. */
export function recordedAnswer(component: string): string {
  const file = recordOf(component);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

export function writeRecord(component: string, text: string): void {
  mkdirSync(dirname(recordOf(component)), { recursive: true });
  writeFileSync(recordOf(component), text);
}

export function chartRequests(): readonly (readonly [string, ForeignRequest])[] {
  return [...foreignRequests(chartUnit())];
}

function recordOf(component: string): string {
  return join(import.meta.dirname, CASE, 'answers', `${component}.yaml`);
}
