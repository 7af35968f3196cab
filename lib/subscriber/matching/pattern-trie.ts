/**
 * A set of patterns, each with a value. It finds the patterns that match a name. The walk follows only patterns that
 * exist, at most two branches a segment, so its cost does not grow with the patterns that do not match.
 */
export class PatternTrie<Value> {
  readonly #root = new Node<Value>();

  /** @param pattern a pattern that `checkPattern` has accepted */
  set(pattern: string, value: Value): void {
    let node = this.#root;
    for (const segment of pattern.split('.')) {
      let next = node.children.get(segment);
      if (next === undefined) {
        next = new Node<Value>();
        node.children.set(segment, next);
      }
      node = next;
    }
    node.value = value;
  }

  delete(pattern: string): void {
    prune(this.#root, pattern.split('.'), 0);
  }

  /** The values of the patterns that match an event's name. */
  matching(name: string): Value[] {
    const found: Value[] = [];
    collect(this.#root, name.split('.'), 0, found);
    return found;
  }
}

class Node<Value> {
  readonly children = new Map<string, Node<Value>>();
  value: Value | undefined = undefined;
}

function collect<Value>(node: Node<Value>, segments: string[], at: number, found: Value[]): void {
  const last = at === segments.length - 1;
  const wildcard = node.children.get('*');
  if (wildcard !== undefined) {
    // A wildcard at the end of a pattern matches all segments that are left, and this segment is one of them.
    if (wildcard.value !== undefined) found.push(wildcard.value);
    if (!last) collect(wildcard, segments, at + 1, found);
  }
  const literal = segments[at] === '*' ? undefined : node.children.get(segments[at]!);
  if (literal === undefined) return;
  if (!last) collect(literal, segments, at + 1, found);
  else if (literal.value !== undefined) found.push(literal.value);
}

/** Removes the pattern, and every node that no other pattern needs. */
function prune<Value>(node: Node<Value>, segments: string[], at: number): void {
  if (at === segments.length) {
    node.value = undefined;
    return;
  }
  const child = node.children.get(segments[at]!);
  if (child === undefined) return;
  prune(child, segments, at + 1);
  if (child.value === undefined && child.children.size === 0) node.children.delete(segments[at]!);
}
