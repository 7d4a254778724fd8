import { countText, countsOf, dangersIn, imageMovesIn } from '#model/difference-summary.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { PromotionEffect } from '#model/promotion.ts';
import type { EnvironmentDifference } from '#model/rendered-diff.ts';
import { countOf, printable } from './output.ts';

/** `effect` of a PromotionDraft. */
export function effectDocument({ rendered, changelogs, schemas }: PromotionEffect): object {
  return {
    rendered: rendered.kind === 'rendered' ? renderedDocument(rendered.difference) : null,
    unknown: rendered.kind === 'unknown' ? { side: rendered.side, reasons: rendered.reasons } : null,
    configuration:
      schemas?.map(({ instance, keys }) => ({
        instance,
        keys: keys.map(({ key, change, keywords }) => ({
          key,
          change,
          keywords: keywords.map(({ field, before, after }) => ({ keyword: field, before: before ?? null, after: after ?? null })),
        })),
      })) ?? null,
    changelogs,
  };
}

function renderedDocument(difference: EnvironmentDifference | undefined): object {
  if (difference === undefined) return { digest: { base: null, head: null }, targets: [], images: [] };
  return {
    digest: difference.digest,
    targets: difference.targets.map((target) => ({
      name: target.name,
      ...countsOf({ targets: [target] }),
      objects: target.objects.map(({ key, instance, change, noise, danger, fields }) => ({
        object: keyText(key),
        instance,
        change,
        noise,
        danger,
        fields: fields.length,
      })),
    })),
    images: imageMovesIn(difference),
  };
}

/** For a terminal: what `capstan diff` tells in full. */
export function effectText({ rendered, schemas }: PromotionEffect): string {
  const keys = schemas?.reduce((sum, schema) => sum + schema.keys.length, 0) ?? 0;
  const configuration = keys === 0 ? '' : `configuration: ${countOf(keys, 'key')} accepted otherwise\n`;
  if (rendered.kind === 'unknown') {
    const what = rendered.side === 'now' ? 'what is declared now' : 'this change';
    return `${[`${what} cannot be rendered:`, ...rendered.reasons.map((reason) => `  ${reason}`)].map(printable).join('\n')}\n`;
  }
  if (rendered.difference === undefined) return `nothing rendered changes\n${configuration}`;
  const dangers = [...dangersIn(rendered.difference)].flatMap(([danger, places]) =>
    places.map((place) => `! ${danger}: ${printable(place)}\n`),
  );
  return `objects: ${countText(countsOf(rendered.difference))}\n${dangers.join('')}${configuration}`;
}
