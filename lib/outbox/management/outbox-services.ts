import { SubscriberHealth } from '../record/subscriber-health.js';
import { Deliveries } from './deliveries.js';
import { DeliveryReports } from './delivery-reports.js';
import { Maintenance } from './maintenance.js';

/** The services of the outbox that Nest constructs. `OutboxEngine` makes the other parts. */
export const outboxServices = [Deliveries, DeliveryReports, Maintenance, SubscriberHealth];
