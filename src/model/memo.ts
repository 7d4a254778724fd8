/** Remembers answers that follow from content alone; the oldest leave first. Nothing in it ever needs to be invalidated. */
export interface Memo<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): V;
}

export function createMemo<V>(limit: number): Memo<V> {
  const entries = new Map<string, V>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value !== undefined) {
        entries.delete(key);
        entries.set(key, value);
      }
      return value;
    },
    set(key, value) {
      entries.set(key, value);
      if (entries.size > limit) {
        for (const oldest of entries.keys()) {
          entries.delete(oldest);
          break;
        }
      }
      return value;
    },
  };
}
