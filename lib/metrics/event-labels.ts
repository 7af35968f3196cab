import { BoundedCache } from '../common/collections.js';
import type { EventCatalogue } from '../event/index.js';

/** The label of events beyond the limit. */
export const OTHER = 'other';

const REMEMBERED = 1000;

/**
 * Makes a limited number of labels for events. The label is the declared name, such as `user.{username}`, if the event
 * is declared. Otherwise it is the name itself while there is room, and `other` after that.
 */
export class EventLabels {
  readonly #labels = new Set<string>();
  readonly #known = new BoundedCache<string, string>(REMEMBERED);

  constructor(
    private readonly catalogue: EventCatalogue,
    private readonly most: number,
  ) {}

  of(event: string): string {
    let label = this.#known.get(event);
    if (label === undefined) {
      label = this.#limited(this.catalogue.declarationOf(event)?.name ?? event);
      this.#known.set(event, label);
    }
    return label;
  }

  #limited(label: string): string {
    if (this.#labels.has(label)) return label;
    if (this.#labels.size >= this.most) return OTHER;
    this.#labels.add(label);
    return label;
  }
}
