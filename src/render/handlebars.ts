import { createRequire } from 'node:module';

import type Handlebars from 'handlebars';

const load = createRequire(import.meta.url);

/** The template engine in its one-file form, loaded by the first capsule that has templates (docs/decisions/0170). */
export function templateEngine(): typeof Handlebars {
  return load('handlebars/dist/handlebars.js') as typeof Handlebars;
}
