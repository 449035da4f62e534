// Time that several pieces of work share: two at a time, each may take an even part of what is left when it begins.
const atOnce = 2;

/** @param until of `performance.now()` @returns results in the order of the items */
export async function sharing<Item, Result>(
  items: readonly Item[],
  until: number,
  work: (item: Item, until: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const now = performance.now();
      const rounds = Math.ceil((items.length - index) / atOnce);
      results[index] = await work(items[index]!, now + (until - now) / rounds);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
