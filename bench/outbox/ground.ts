import type { Part } from '../parts.js';
import { capacityOf, Endpoints } from './endpoints.js';
import { Services } from './services.js';

/** What the parts of these benchmarks stand on. */
export interface Ground {
  readonly services: Services;
  readonly endpoints: Endpoints;
}

/** Runs parts one after the other on endpoints and services that are stopped in the end. */
export async function runParts(parts: readonly Part<Ground>[]): Promise<void> {
  const endpoints = await Endpoints.start();
  const services = new Services();
  try {
    const capacity = await capacityOf(endpoints.receiver, 2000);
    console.error(`receiver: ${endpoints.receiver.kind}, ${Math.round(capacity)} requests/s alone`);
    for (const part of parts) {
      console.error(`-- ${part.name}`);
      await part.run({ services, endpoints });
    }
  } finally {
    await services.stop();
    await endpoints.stop();
  }
}
