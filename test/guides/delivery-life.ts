import { type Transition, TRANSITIONS } from '../../lib/outbox/delivery-states.js';

/** The changes of a delivery's state, by name. */
export const CHANGES: readonly (readonly [name: string, Transition])[] =
  Object.entries(TRANSITIONS);

/** The picture and the table of a delivery's life, as docs/architecture.md has them. */
export function deliveryLife(): string {
  const edges = new Map<string, string[]>();
  for (const [name, { moves }] of CHANGES) {
    for (const [from, to] of moves) {
      const edge = `${from ?? '[*]'} --> ${to ?? '[*]'}`;
      edges.set(edge, [...(edges.get(edge) ?? []), name]);
    }
  }
  const picture = [...edges].map(([edge, names]) => `  ${edge} : ${names.join(', ')}`);
  const rows = CHANGES.map(([name, { event, file, method }]) => {
    const code = method === undefined ? `\`${file}\`` : `\`${file}\` \`${method}\``;
    return `| \`${name}\` | ${event} | ${code} |`;
  });
  return [
    ['```mermaid', 'stateDiagram-v2', ...picture, '```'].join('\n'),
    ['| Change | Event | Function |', '| --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n');
}
