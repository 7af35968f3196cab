/** What one delivery costs, and what one machine of each kind can do. */
export interface Figures {
  /** Microseconds of a sending process for each message. */
  readonly 'sender-cpu': number;
  /** Microseconds of a worker for each delivery. */
  readonly 'worker-cpu': number;
  /** Microseconds of Redis for each delivery; a store has one core for commands. */
  readonly 'redis-cpu': number;
  /** Microseconds of the database for each delivery, its message included. */
  readonly 'database-cpu': number;
  /** Bytes of the database's log for each delivery, its message included. */
  readonly 'database-wal': number;
  /** Bytes of request and answer. */
  readonly 'wire-bytes': number;
  /** Subscribers of a message. */
  readonly 'fan-out': number;
  /** Milliseconds until a subscriber has answered. */
  readonly latency: number;
  /** Kilobytes that a delivery in flight holds. */
  readonly memory: number;
  /** Deliveries in flight in one worker at most. */
  readonly window: number;
  /** Cores of one database server. */
  readonly 'database-cores': number;
  /** Megabytes a second that one database server writes to its log. */
  readonly 'database-disk': number;
  /** Gigabits a second of one link. */
  readonly network: number;
}

/** What there can be several of. */
export type Kind = 'senders' | 'workers' | 'redisShards' | 'databases' | 'links';

/** How many there are of each. */
export type Installation = Readonly<Record<Kind, number>>;

/** Something that can run out. */
export interface Resource {
  readonly name: string;
  readonly kind: Kind;
  /** How many of its kind would be busy all the time. */
  readonly busy: number;
}

/** How full anything may be: what is fuller has queues. */
const TARGET = 0.7;

export const SMALLEST: Installation = {
  senders: 1,
  workers: 1,
  redisShards: 1,
  databases: 1,
  links: 1,
};

/** What so many deliveries a second use. */
export function resourcesFor(deliveries: number, figures: Figures): readonly Resource[] {
  const cores = (microseconds: number, rate: number) => (microseconds * rate) / 1e6;
  const inFlight = inFlightOf(deliveries, figures);
  return [
    {
      name: 'CPU of senders',
      kind: 'senders',
      busy: cores(figures['sender-cpu'], deliveries / figures['fan-out']),
    },
    { name: 'CPU of workers', kind: 'workers', busy: cores(figures['worker-cpu'], deliveries) },
    { name: 'window of workers', kind: 'workers', busy: inFlight / figures.window },
    { name: 'CPU of Redis', kind: 'redisShards', busy: cores(figures['redis-cpu'], deliveries) },
    {
      name: 'CPU of the database',
      kind: 'databases',
      busy: cores(figures['database-cpu'], deliveries) / figures['database-cores'],
    },
    {
      name: 'log of the database',
      kind: 'databases',
      busy: (figures['database-wal'] * deliveries) / 1e6 / figures['database-disk'],
    },
    {
      name: 'network',
      kind: 'links',
      busy: (figures['wire-bytes'] * deliveries * 8) / 1e9 / figures.network,
    },
  ];
}

/** What runs out first, and how full it is: 1 is all the time. */
export function bottleneckOf(
  resources: readonly Resource[],
  installation: Installation,
): { readonly name: string; readonly utilisation: number } {
  const used = resources.map(({ name, kind, busy }) => ({
    name,
    utilisation: busy / installation[kind],
  }));
  return used.reduce((most, one) => (one.utilisation > most.utilisation ? one : most));
}

/** The smallest installation in which nothing is too full. */
export function installationFor(resources: readonly Resource[]): Installation {
  const needed = { ...SMALLEST };
  for (const { kind, busy } of resources) {
    needed[kind] = Math.max(needed[kind], Math.ceil(busy / TARGET));
  }
  return needed;
}

/** One load, and what it takes. */
export interface Step {
  readonly deliveries: number;
  /** Of the installation that the load before was content with. */
  readonly bottleneck: { readonly name: string; readonly utilisation: number };
  readonly needs: Installation;
  readonly inFlight: number;
  /** Gigabytes of all workers, for what is in flight. */
  readonly memory: number;
}

/** Ever greater loads, each first met by what was enough for the one before. */
export function stepsOf(loads: readonly number[], figures: Figures): readonly Step[] {
  let installation = SMALLEST;
  return loads.map((deliveries) => {
    const resources = resourcesFor(deliveries, figures);
    const bottleneck = bottleneckOf(resources, installation);
    installation = installationFor(resources);
    const inFlight = inFlightOf(deliveries, figures);
    const memory = (inFlight * figures.memory) / 1e6;
    return { deliveries, bottleneck, needs: installation, inFlight, memory };
  });
}

function inFlightOf(deliveries: number, { latency }: Figures): number {
  return (deliveries * latency) / 1000;
}
