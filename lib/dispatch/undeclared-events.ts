import { Logger } from '@nestjs/common';
import { type EventCatalogue, nearestNames } from '../event/index.js';

/** The greatest number of names that are logged: a name may hold an id, and so be new each time. */
const MOST = 100;

/** Logs events that are sent by hand and that the application does not declare, once each; not in production. */
export class UndeclaredEvents {
  readonly #logger = new Logger('Thorn');
  readonly #isOn = process.env['NODE_ENV'] !== 'production';
  readonly #logged = new Set<string>();

  sent(name: string, catalogue: EventCatalogue): void {
    if (!this.#isOn || this.#logged.has(name) || this.#logged.size >= MOST) return;
    const names = catalogue.names();
    if (catalogue.has(name)) return;
    this.#logged.add(name);
    const nearest = nearestNames(name, names);
    this.#logger.warn(
      `The event ${name} was sent, but is not declared. ` +
        (nearest.length === 0 ? '' : `Did you mean ${nearest.join(' or ')}? `) +
        `Declare it: events: defineEvents({ '${name}': { description: '…' } }).`,
    );
  }
}
