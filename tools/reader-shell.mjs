// What the tools that follow a guide do in a shell: they type its commands, and look at what a running one prints.
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const LONGEST = 300_000;
export const JWT_SECRET = 'a secret of the application that is tried';

const execute = promisify(execFile);

/**
 * Does something while a command runs.
 *
 * @param {string} folder
 * @param {number} port
 * @param {string} command
 * @param {(log: () => string) => Promise<string>} act
 */
export async function running(folder, port, command, act) {
  const options = { cwd: folder, env: environment(port), detached: true };
  const started = spawn('bash', ['-c', command], options);
  let log = '';
  for (const stream of [started.stdout, started.stderr]) {
    stream.on('data', (chunk) => (log += String(chunk)));
  }
  try {
    return await act(() => log);
  } catch (error) {
    throw new Error(`${String(error)}\n${command}:\n${log}`, { cause: error });
  } finally {
    // The group, since npm and the CLI are processes of their own.
    if (started.pid !== undefined && started.exitCode === null)
      process.kill(-started.pid, 'SIGKILL');
  }
}

/**
 * @param {() => string} log
 * @param {RegExp} pattern
 */
export async function until(log, pattern) {
  const end = Date.now() + LONGEST;
  for (;;) {
    const [line] = pattern.exec(log()) ?? [];
    if (line !== undefined) return line;
    if (Date.now() > end) throw new Error(`no ${pattern}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Waits for an application that does not listen yet.
 *
 * @param {string} command
 */
export function patient(command) {
  return command.replace(
    'curl',
    'curl -sS --fail-with-body --retry 100 --retry-connrefused --retry-delay 1',
  );
}

/**
 * @param {string} folder
 * @param {string} command
 */
export async function type(folder, command) {
  // npx would ask whether it may install.
  const options = { cwd: folder, env: environment(), maxBuffer: 1e8, timeout: LONGEST };
  try {
    return (await execute('bash', ['-c', `(${command}\n) </dev/null`], options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = /** @type {any} */ (error);
    throw new Error(`${command}\n${stdout}${stderr}`, { cause: error });
  }
}

/** @param {number} [port] */
function environment(port) {
  const { CI: _, NODE_ENV: __, ...others } = process.env;
  return {
    ...others,
    JWT_SECRET,
    NO_COLOR: '1',
    npm_config_yes: 'true',
    // What npm has in its cache is not asked of the registry again.
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    ...(port !== undefined && { PORT: String(port) }),
  };
}
