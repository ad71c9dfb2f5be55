// Finds circles in a graph of imports: Tarjan's strongly connected components.

export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Every circle as the sorted names of its members. A node that only imports itself does not count. */
export function circlesOf(graph: Graph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];

  function visit(node: string): void {
    const at = index.size;
    index.set(node, at);
    low.set(node, at);
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (path.includes(next)) low.set(node, Math.min(low.get(node) ?? at, low.get(next) ?? at));
    }
    if (low.get(node) !== at) return;
    const members = path.splice(path.indexOf(node));
    if (members.length > 1) circles.push(members.sort());
  }

  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return circles.sort(([a = ''], [b = '']) => a.localeCompare(b));
}

/** The imports between the groups given by `groupOf`; imports within a group do not count. */
export function grouped(graph: Graph, groupOf: (node: string) => string): Graph {
  const groups = new Map<string, Set<string>>();
  for (const [from, targets] of graph) {
    const group = groups.get(groupOf(from)) ?? new Set<string>();
    groups.set(groupOf(from), group);
    for (const to of targets) if (groupOf(to) !== groupOf(from)) group.add(groupOf(to));
  }
  return groups;
}
