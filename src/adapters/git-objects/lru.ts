/** Keeps what was used last, up to a total weight. */
export interface Cache<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V, weight: number): void;
}

export function lruCache<K, V>(maximumWeight: number): Cache<K, V> {
  const kept = new Map<K, { readonly value: V; readonly weight: number }>();
  let total = 0;

  function remove(key: K): void {
    total -= kept.get(key)?.weight ?? 0;
    kept.delete(key);
  }

  return {
    get(key) {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      kept.delete(key);
      kept.set(key, found);
      return found.value;
    },
    set(key, value, weight) {
      remove(key);
      if (weight > maximumWeight) return;
      kept.set(key, { value, weight });
      total += weight;
      for (const oldest of kept.keys()) {
        if (total <= maximumWeight) return;
        remove(oldest);
      }
    },
  };
}
