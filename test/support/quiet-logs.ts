/**
 * A Vitest set-up file: hands what is written to the streams to Vitest's console, which shows the lines of a test only
 * when the test fails (`silent: 'passed-only'`). Nest's logger writes to the streams directly.
 */
type Write = typeof process.stdout.write;

process.stdout.write = writeTo((text) => console.log(text));
process.stderr.write = writeTo((text) => console.error(text));

function writeTo(print: (text: string) => void): Write {
  return (chunk: string | Uint8Array, ...rest: unknown[]) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    print(text.replace(/\n$/, ''));
    const done = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
}
