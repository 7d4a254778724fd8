/** Does work on every item, on so many at a time, and answers in the order of the items. What is under way is finished before the first failure is thrown. */
export async function atOnce<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const answers: PromiseSettledResult<R>[] = [];
  let next = 0;
  let hasFailed = false;
  async function worker(): Promise<void> {
    while (next < items.length && !hasFailed) {
      const at = next++;
      const item = items[at];
      if (item === undefined) continue;
      const [settled] = await Promise.allSettled([work(item)]);
      answers[at] = settled;
      hasFailed ||= settled.status === 'rejected';
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return answers.map((answer) => {
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  });
}
