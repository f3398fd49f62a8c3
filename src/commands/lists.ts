/** Replaces the item that `same` finds, in its place, or appends it. */
export function put<Item>(items: readonly Item[], item: Item, same: (other: Item) => boolean): readonly Item[] {
  const at = items.findIndex(same);
  return at < 0 ? [...items, item] : items.with(at, item);
}

/** The object without a field: `exactOptionalPropertyTypes` wants absence, not undefined. */
export function without<Value extends object, Key extends keyof Value>(value: Value, ...keys: Key[]): Omit<Value, Key> {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
}
