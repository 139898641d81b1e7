// Work on many items, so many at a time: over a served machine a read costs a round trip, and reads that are under
// way together share one. Pacing is the business of what is called.

/** Results of `work` on each item, in the order of the items; at most `atOnce` are under way. The first failure rejects. */
export async function concurrently<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  if (items.length <= atOnce) return Promise.all(items.map(work));
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as Item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

/** The findings about each item, in one list. All items are under way together: for lists that are short. */
export async function findingsOf<Item, Finding>(
  items: readonly Item[],
  find: (item: Item) => Promise<readonly Finding[]>,
): Promise<Finding[]> {
  return (await Promise.all(items.map(find))).flat();
}
