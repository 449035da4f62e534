// Many questions, a few at a time, answers in the questions' order. After a failure no further question is put; those
// under way are waited for, so that their replies are kept.

/**
 * `ask` for every item, at most `concurrency` at once.
 * @throws the first failure, when the last one under way has ended
 */
export async function askAll<Item, Answer>(
  items: readonly Item[],
  concurrency: number,
  ask: (item: Item, index: number) => Promise<Answer>,
): Promise<Answer[]> {
  const answers = new Array<Answer>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        answers[index] = await ask(items[index]!, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return answers;
}
