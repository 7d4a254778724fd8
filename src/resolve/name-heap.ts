/** Names waiting for their turn, smallest first; `push` and `pop` cost the logarithm of their number. */
export interface NameHeap {
  push(name: string): void;
  pop(): string | undefined;
}

export function nameHeap(): NameHeap {
  const items: string[] = [];
  return {
    push(name) {
      let at = items.push(name) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        const above = items[parent] ?? '';
        if (above <= name) break;
        items[at] = above;
        at = parent;
      }
      items[at] = name;
    },
    pop() {
      const top = items[0];
      const last = items.pop();
      if (top === undefined || last === undefined || items.length === 0) return top;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && (items[child + 1] ?? '') < (items[child] ?? '')) child += 1;
        const below = items[child] ?? '';
        if (below >= last) break;
        items[at] = below;
        at = child;
      }
      items[at] = last;
      return top;
    },
  };
}
