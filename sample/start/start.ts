// npm run sample -- NAME: starts a sample with all that it needs, and prints what to type. Ctrl-C ends it.
import { isInUse, type Program } from '../blog/play/processes.js';
import { startAgent } from './agent.js';
import { startBlog } from './blog.js';
import { startDistributed } from './distributed.js';
import { startReceiver } from './receiver.js';
import { startShop } from './shop.js';

/** Where a sample may listen, and who its programs and servers are, in the order in which they end. */
export interface Stage {
  readonly port: number;
  /** Of the program that receives webhooks. */
  readonly consumerPort: number;
  readonly running: Pick<Program, 'stop'>[];
}

const SAMPLES: Readonly<Record<string, (stage: Stage) => Promise<string>>> = {
  blog: startBlog,
  prisma: (stage) => startShop('prisma', stage),
  drizzle: (stage) => startShop('drizzle', stage),
  distributed: startDistributed,
  receiver: startReceiver,
  agent: startAgent,
};

const [name = 'blog'] = process.argv.slice(2);
const startSample = Object.hasOwn(SAMPLES, name) ? SAMPLES[name] : undefined;
if (startSample === undefined) {
  endWith(`There is no sample ${name}. Name one of ${Object.keys(SAMPLES).join(', ')}`);
}
const running: Stage['running'] = [];
process.once('SIGINT', () => void end(0));
process.once('SIGTERM', () => void end(0));
try {
  const consumerPort = await freePort('CONSUMER_PORT', 4000);
  const port = await freePort('PORT', 3000);
  console.log(await startSample({ port, consumerPort, running }));
  console.log('\nCtrl-C ends all of it.');
} catch (error) {
  console.error((error as Error).message);
  await end(1);
}

async function end(code: number): Promise<never> {
  for (const { stop } of running) await stop();
  return process.exit(code);
}

/** The port of an environment variable. Ends the process, with the remedy, when another program has it. */
async function freePort(variable: string, standard: number): Promise<number> {
  const port = Number(process.env[variable] ?? standard);
  if (!(await isInUse(port))) return port;
  const command = ['npm run sample', ...(process.argv.length > 2 ? ['--', name] : [])].join(' ');
  return endWith(`Port ${port} is in use. Name a free one: ${variable}=${port + 1} ${command}`);
}

function endWith(fault: string): never {
  console.error(fault);
  return process.exit(1);
}
