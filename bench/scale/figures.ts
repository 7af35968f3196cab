import type { Figures } from './model.js';

/** What a short run of this code can tell; the rest depends on subscribers and on what one rents. */
export const MEASURED = [
  'sender-cpu',
  'worker-cpu',
  'redis-cpu',
  'database-cpu',
  'database-wal',
] as const satisfies readonly (keyof Figures)[];

export type Measured = Pick<Figures, (typeof MEASURED)[number]>;

/** What is assumed unless it is given. */
const ASSUMED: Omit<Figures, keyof Measured> = {
  'wire-bytes': 1500,
  'fan-out': 10,
  latency: 100,
  memory: 20,
  window: 1000,
  'database-cores': 16,
  'database-disk': 400,
  network: 10,
};

/**
 * @param given as in `worker-cpu=70`
 * @throws Error naming what is unknown, or no number above 0
 */
export function figuresOf(given: readonly string[]): {
  readonly assumed: typeof ASSUMED;
  readonly measured: Partial<Measured>;
} {
  const found: Record<string, number> = {};
  const names: readonly string[] = [...MEASURED, ...Object.keys(ASSUMED)];
  for (const one of given) {
    const [name = '', value] = one.split('=');
    if (!names.includes(name)) {
      throw new Error(`scale knows no figure ${name}, only ${names.join(', ')}`);
    }
    found[name] = Number(value);
    if (!(found[name] > 0)) throw new Error(`scale: ${one} is no number above 0`);
  }
  const part = (of: readonly string[]) =>
    Object.fromEntries(Object.entries(found).filter(([name]) => of.includes(name)));
  return {
    assumed: { ...ASSUMED, ...part(Object.keys(ASSUMED)) },
    measured: part(MEASURED),
  };
}
