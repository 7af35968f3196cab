/**
 * One cycle of every group of nodes that reach each other (Tarjan's strongly connected components).
 *
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @returns {string[][]} each cycle in order, its first node not repeated
 */
export function findCycles(graph) {
  const order = new Map();
  const low = new Map();
  /** @type {string[]} */
  const open = [];
  const isOpen = new Set();
  /** @type {string[][]} */
  const cycles = [];
  for (const node of graph.keys()) if (!order.has(node)) enter(node);
  return cycles;

  /** @param {string} node */
  function enter(node) {
    order.set(node, order.size);
    low.set(node, order.get(node));
    open.push(node);
    isOpen.add(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) enter(next);
      if (isOpen.has(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== order.get(node)) return;
    const group = open.splice(open.indexOf(node));
    for (const member of group) isOpen.delete(member);
    const cycle = shortestCycle(node, new Set(group), graph);
    if (cycle) cycles.push(cycle);
  }
}

/**
 * @param {string} start
 * @param {ReadonlySet<string>} group
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @returns {string[] | null}
 */
function shortestCycle(start, group, graph) {
  const paths = [[start]];
  const seen = new Set();
  for (const path of paths) {
    for (const next of graph.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return path;
      if (!group.has(next) || seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return null;
}
