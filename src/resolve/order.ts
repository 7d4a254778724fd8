import type { InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { DependencyEdge } from './dependency-edges.ts';

export interface Ordered {
  readonly waves: ReadonlyMap<InstanceName, number>;
  /** A mandatory cycle, first name repeated at its end. */
  readonly cycle: readonly InstanceName[] | undefined;
  /** Optional edges left out of the order, each with the cycle it would have closed. */
  readonly cut: readonly { readonly from: InstanceName; readonly dependency: string; readonly cycle: readonly InstanceName[] }[];
}

interface Vertex {
  readonly name: InstanceName;
  open: DependencyEdge[];
  readonly dependents: Vertex[];
  missing: number;
  wave: number;
  done: boolean;
}

/** wave = 1 + the highest wave of what it depends on; cycles are cut at their first optional edge by name. */
export function orderOf(edges: ReadonlyMap<InstanceName, readonly DependencyEdge[]>): Ordered {
  const vertices = new Map<InstanceName, Vertex>();
  for (const [name, own] of edges) vertices.set(name, { name, open: [...own], dependents: [], missing: own.length, wave: 0, done: false });
  for (const vertex of vertices.values()) for (const edge of vertex.open) vertices.get(edge.instance)?.dependents.push(vertex);
  const ready = [...vertices.values()].filter((vertex) => vertex.missing === 0);
  const cut: Ordered['cut'][number][] = [];
  let rest: Vertex[] = [];
  for (;;) {
    settle(ready);
    rest = (rest.length === 0 ? [...vertices.values()] : rest).filter((vertex) => !vertex.done);
    if (rest.length === 0) break;
    rest.sort((a, b) => compareText(a.name, b.name));
    const found = cycleAmong(rest, vertices);
    const names = [...found.map((edge) => edge.from.name), found[0]?.from.name].filter((name) => name !== undefined);
    const weak = found.filter(({ edge }) => edge.optional).sort((a, b) => compareText(a.from.name, b.from.name))[0];
    if (weak === undefined) return { waves: new Map(), cycle: names, cut };
    cut.push({ from: weak.from.name, dependency: weak.edge.dependency, cycle: names });
    weak.from.open = weak.from.open.filter((edge) => edge !== weak.edge);
    weak.from.missing -= 1;
    const target = vertices.get(weak.edge.instance);
    const at = target?.dependents.indexOf(weak.from) ?? -1;
    if (at >= 0) target?.dependents.splice(at, 1);
    if (weak.from.missing === 0) ready.push(weak.from);
  }
  return { waves: new Map([...vertices.values()].map((vertex) => [vertex.name, vertex.wave])), cycle: undefined, cut };
}

function settle(ready: Vertex[]): void {
  for (let vertex = ready.pop(); vertex !== undefined; vertex = ready.pop()) {
    vertex.done = true;
    for (const dependent of vertex.dependents) {
      dependent.wave = Math.max(dependent.wave, vertex.wave + 1);
      dependent.missing -= 1;
      if (dependent.missing === 0) ready.push(dependent);
    }
  }
}

type Step = { readonly from: Vertex; readonly edge: DependencyEdge };

/** Each of `rest` still waits for another of `rest`: following the first such edge must come round; mandatory cycles are found first. */
function cycleAmong(rest: readonly Vertex[], vertices: ReadonlyMap<InstanceName, Vertex>): readonly Step[] {
  const [start] = rest;
  const path: Step[] = [];
  const seen = new Map<Vertex, number>();
  for (let here = start; here !== undefined;) {
    const again = seen.get(here);
    if (again !== undefined) return path.slice(again);
    seen.set(here, path.length);
    const open: readonly DependencyEdge[] = here.open.filter((edge) => vertices.get(edge.instance)?.done === false);
    const edge: DependencyEdge | undefined = open.find((one) => !one.optional) ?? open[0];
    if (edge === undefined) break;
    path.push({ from: here, edge });
    here = vertices.get(edge.instance);
  }
  return path;
}
