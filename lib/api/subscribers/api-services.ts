import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { Deliverer } from '../../delivery/index.js';
import { MessageFactory } from '../../message/index.js';
import { Subscribers } from '../../subscriber/index.js';
import { ApiSettings } from '../options/api-options.js';
import { EndpointChallenges } from './endpoint-challenges.js';
import { EndpointProbe } from './endpoint-probe.js';
import { OwnerThrottle } from './owner-throttle.js';

/** The services that the API's controllers share, such as the one count of requests that an owner has caused. */
@Injectable()
export class ApiServices {
  readonly probe: EndpointProbe;
  readonly tests: OwnerThrottle;
  readonly challenges: EndpointChallenges;

  constructor(
    @Inject(ApiSettings) { limits, challenge }: ApiSettings,
    @Inject(Subscribers) subscribers: Subscribers,
    @Inject(Deliverer) deliverer: Deliverer,
    @Inject(MessageFactory) messages: MessageFactory,
    @Inject(Clock) clock: Clock,
  ) {
    this.probe = new EndpointProbe(deliverer, messages, clock);
    this.tests = new OwnerThrottle(clock, limits.testsPerMinute);
    this.challenges = new EndpointChallenges(challenge, subscribers, this.probe, this.tests);
  }
}
