/** Where a delivery stands: it waits for an attempt, or it has ended. */
export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';
