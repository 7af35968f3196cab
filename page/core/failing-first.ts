import type { Endpoint, EndpointPage } from './model.js';
import type { Query } from './source.js';

/** Stands before the cursor of a page that is read after the failing endpoints, with the id up to which those were looked for. */
const OTHERS = /^others (\S*) (\S*)$/;

/**
 * Reads the failing endpoints, and then the others. Of a list so long that the API finds none in one of its looks, those
 * that fail further on stay in their place.
 */
export async function failingFirst(
  read: (part: Query) => Promise<EndpointPage>,
  after = '',
): Promise<EndpointPage> {
  const [, end, place] = OTHERS.exec(after) ?? [];
  if (end === undefined) {
    const { items, next } = await read({ state: 'failing', after });
    const isGoingOn = next !== null && items.length > 0;
    return { items, next: isGoingOn ? next : `others ${next ?? ''} ` };
  }
  const { items, next } = await read({ after: place });
  const wasShown = ({ state, id }: Endpoint) => state === 'failing' && (end === '' || id <= end);
  return {
    items: items.filter((one) => !wasShown(one)),
    next: next === null ? null : `others ${end} ${next}`,
  };
}
