export interface Edge<T> {
  readonly from: string;
  readonly to: string;
  readonly label: T;
}

/** One circle, its edges in order, beginning at the smallest name. */
export type Circle<T> = readonly Edge<T>[];

/** One circle of each tangle of a graph, in name order; linear in nodes and edges, however deep. */
export function findCircles<T>(edges: readonly Edge<T>[]): readonly Circle<T>[] {
  const out = new Map<string, Edge<T>[]>();
  for (const edge of edges) {
    const known = out.get(edge.from);
    if (known === undefined) out.set(edge.from, [edge]);
    else known.push(edge);
  }
  const done = new Set<string>();
  const circles: Circle<T>[] = [];
  for (const start of [...out.keys()].sort()) if (!done.has(start)) walk(out, { start, done, circles });
  return circles;
}

interface Walk<T> {
  readonly start: string;
  readonly done: Set<string>;
  readonly circles: Circle<T>[];
}

function walk<T>(out: ReadonlyMap<string, readonly Edge<T>[]>, state: Walk<T>): void {
  const path: Edge<T>[] = [];
  const depths = new Map([[state.start, 0]]);
  const stack = [{ node: state.start, next: 0 }];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const edge = out.get(frame.node)?.[frame.next];
    if (edge === undefined) {
      state.done.add(frame.node);
      depths.delete(frame.node);
      stack.pop();
      path.pop();
      continue;
    }
    frame.next += 1;
    const depth = depths.get(edge.to);
    if (depth !== undefined) state.circles.push(fromSmallest([...path.slice(depth), edge]));
    else if (!state.done.has(edge.to)) {
      depths.set(edge.to, stack.length);
      stack.push({ node: edge.to, next: 0 });
      path.push(edge);
    }
  }
}

function fromSmallest<T>(circle: readonly Edge<T>[]): Circle<T> {
  const first = circle.reduce((best, edge, index) => (edge.from < (circle[best]?.from ?? '') ? index : best), 0);
  return [...circle.slice(first), ...circle.slice(0, first)];
}

/** `a → b → a` */
export function circleText(circle: Circle<unknown>): string {
  return [...circle.map((edge) => edge.from), circle[0]?.from ?? ''].join(' → ');
}
