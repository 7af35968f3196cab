import { Injectable } from '@nestjs/common';
import type { MatchCriteria } from '../subscriber/model/subscriber.repository.js';
import { EventCatalogue } from '../event/catalogue.js';
import { DispatchSettings } from './dispatch-settings.js';
import { DispatchStrategy } from './strategies/dispatch-strategy.js';
import { FanOut } from './recipients/fan-out.js';

/** An event whose audience is known. */
export interface HeardEvent extends MatchCriteria {
  /** The setting of the event. Default: the module's. */
  readonly keep?: boolean | undefined;
}

/** Knows the events without a subscriber, so that their messages are neither made nor stored. */
@Injectable()
export class UnheardEvents {
  readonly #isOn: boolean;
  readonly #hasHistory: boolean;
  readonly #keep: boolean;

  /** @param catalogue tells which events a history has. Default: all */
  constructor(
    strategy: DispatchStrategy,
    private readonly fanOut: FanOut,
    { keep = false }: DispatchSettings = {},
    private readonly catalogue?: EventCatalogue,
  ) {
    this.#keep = keep;
    this.#isOn = strategy.leavesOutUnheard?.() === true;
    this.#hasHistory = strategy.eventStore?.() !== undefined;
  }

  /** True if events are kept unless they say otherwise. */
  get areKept(): boolean {
    return !this.#isOn || this.#keep;
  }

  /** True if an event has no recipient and is not to be kept. Never waits: false when this is not known now. */
  has(event: HeardEvent): boolean {
    return (
      this.#isOn &&
      !(event.keep ?? (this.#keep || this.#isInHistory(event.event))) &&
      this.fanOut.isUnheard(event)
    );
  }

  #isInHistory(event: string): boolean {
    return this.#hasHistory && this.catalogue?.offers(event) !== false;
  }
}
