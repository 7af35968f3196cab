/** The names in a text, with blanks or commas between them, each once. */
export function namesIn(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((one) => one !== ''))];
}

/** The time without a further letter after which a search begins, in milliseconds. */
const TYPING = 200;

/** Waits until the user stops typing, so that not every letter causes a request. */
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
