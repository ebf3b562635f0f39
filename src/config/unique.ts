import type { ConfigNode } from './config-node.js';

/** What an entry of a list was read as, its name, and where the name stands. An empty name has a problem of its own. */
interface Named<T> {
  readonly key: ConfigNode;
  readonly name: string;
  readonly value: T;
}

/** Reads the entries of a list, and adds the problem `rule` for each whose name an earlier one has. */
export function unique<T>(
  rule: string,
  items: readonly ConfigNode[],
  read: (item: ConfigNode) => Named<T>,
): readonly T[] {
  const lines = new Map<string, number>();
  return items.map((item) => {
    const { key, name, value } = read(item);
    const first = lines.get(name);
    if (first !== undefined) key.problem(`${rule}; it was given in line ${first} already`);
    else if (name !== '') lines.set(name, key.line);
    return value;
  });
}
