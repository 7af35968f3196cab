/** Milliseconds without a further letter. */
const TYPING = 200;

/** Waits a moment: whoever types on asks for something else. */
export function typingEnd(search: string | undefined, signal: AbortSignal): Promise<void> {
  if (search === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, TYPING);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('Typed on'));
    });
  });
}
