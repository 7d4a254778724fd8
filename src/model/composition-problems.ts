import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Codes of composition: extends, bundles, private and optional dependencies, sorted. */
export const COMPOSITION_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'extends-endless': {
    rule: 'V-25',
    title: 'A chain of extends is too deep or comes back to itself',
    why: 'A capsule extends one other, that one may extend a third; with itself a chain has at most 8 capsules, each a different one, so that people can follow where a value comes from.',
    example: 'a extends b, and b extends a',
    remedy: 'Let the chain end: take extends out of one of them.',
  },
};
