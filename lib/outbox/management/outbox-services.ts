import { SubscriberHealth } from '../record/subscriber-health.js';
import { Deliveries } from './deliveries.js';
import { DeliveryReports } from './delivery-reports.js';
import { Maintenance } from './maintenance.js';

/** The services of the outbox that Nest constructs. Its strategy makes the others. */
export const outboxServices = [Deliveries, DeliveryReports, Maintenance, SubscriberHealth];
