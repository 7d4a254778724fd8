import type { Kept } from '#ports/kept.ts';

/** What would lie on a disk; given again, it is what a restart finds. */
export function memoryKept(texts: Map<string, string> = new Map()): Kept {
  return {
    get: async (key) => texts.get(key),
    put: async (key, text) => void texts.set(key, text),
  };
}
