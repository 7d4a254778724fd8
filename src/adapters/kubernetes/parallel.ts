/** Does `work` for each item, at most `limit` at once; answers in the order of the items. The first failure stops what has not begun. */
export async function inParallel<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const answers = new Map<number, R>();
  let next = 0;
  let isStopped = false;
  async function lane(): Promise<void> {
    while (next < items.length && !isStopped) {
      const at = next;
      next += 1;
      const item = items[at];
      if (item === undefined) continue;
      try {
        answers.set(at, await work(item));
      } catch (error) {
        isStopped = true;
        throw error;
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
  return [...answers].toSorted(([a], [b]) => a - b).map(([, answer]) => answer);
}
