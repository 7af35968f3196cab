// Usage: node tools/try-samples.mjs [sample ...]
//
// Starts the samples as `npm run sample -- NAME` does, types the commands that they print for making an event, waits until
// their receivers have verified what came, and ends them as Ctrl-C does. Run `npm run build:sample` first.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.mjs';

const LONGEST = 120_000;
const READY = 'Ctrl-C ends all of it.';

/** @typedef {{ typed: RegExp, verified: RegExp, alone?: boolean }} Trial */
/** @type {Trial} */
const SHOP = { typed: /\/orders/, verified: /204 verified order\.placed .*"total":5/, alone: true };
/** @type {Trial} */
const BLOG = { typed: /\/articles$/, verified: /204 verified article\.created .*"Hello"/ };

/** Which of the printed commands are typed, what is verified then, and whether that is all. */
/** @type {Readonly<Record<string, Trial>>} */
const SAMPLES = {
  blog: BLOG,
  prisma: SHOP,
  drizzle: SHOP,
  distributed: BLOG,
  receiver: { typed: /./, verified: /verified order\.placed .*"total":5/, alone: true },
  agent: { typed: /./, verified: /verified article\.published: “Hello”/, alone: true },
};

const run = promisify(execFile);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const BUILD = 'npm run build:sample && ';
if (!scripts.sample.startsWith(BUILD)) throw new Error('`npm run sample` builds in another way');
const command = scripts.sample.slice(BUILD.length).split(' ').slice(1);

const asked = process.argv.slice(2);
// At once: most of the time they wait for servers to start.
const all = await Promise.all((asked.length > 0 ? asked : Object.keys(SAMPLES)).map(attempt));
process.exitCode = all.includes(false) ? 1 : 0;

/** @param {string} name */
async function attempt(name) {
  const { typed, verified, alone = false } = SAMPLES[name] ?? BLOG;
  const { NODE_ENV: _, ...others } = process.env;
  const [port, consumerPort] = [await freePort(), await freePort()];
  const env = { ...others, PORT: String(port), CONSUMER_PORT: String(consumerPort) };
  const sample = spawn(process.execPath, [...command, name], { env });
  const end = once(sample, 'exit');
  let log = '';
  for (const stream of [sample.stdout, sample.stderr]) {
    stream.on('data', (chunk) => (log += String(chunk)));
  }
  /** @param {() => boolean} isSo */
  const until = async (isSo) => {
    for (const late = Date.now() + LONGEST; !isSo(); await wait(50)) {
      if (sample.exitCode !== null) throw new Error(`it ended with ${sample.exitCode}`);
      if (Date.now() > late) throw new Error('waited in vain');
    }
  };
  try {
    await until(() => log.includes(READY));
    const commands = log.split('\n').filter((line) => /^ {2}curl /.test(line) && typed.test(line));
    if (commands.length === 0) throw new Error('it prints no command to type');
    for (const line of commands) await run('bash', ['-c', `${line} -sS </dev/null`]);
    await until(() => verified.test(log));
    sample.kill('SIGINT');
    const [code] = await end;
    const lines = log.split('\n').filter((line) => /^ {2}(204 )?verified /.test(line));
    if (code !== 0 || (alone && lines.length > 1)) {
      throw new Error(`it ended with ${code}, after ${lines.length} webhooks`);
    }
    console.log(`${name}: ${lines[0]?.trim()}`);
    return true;
  } catch (error) {
    console.error(`${name}: ${/** @type {Error} */ (error).message}\n${log}`);
    return false;
  } finally {
    if (sample.exitCode === null) sample.kill('SIGKILL');
  }
}
