import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

const shown = signal(0);

/** True while a skeleton is seen, so that the page says once that it loads. */
export const isLoading = computed(() => shown.value > 0);

/** Milliseconds for which a skeleton is not seen, since most answers are faster. The styles have the same number. */
const HIDDEN = 150;

/** The parts of each shape. */
const PARTS: Readonly<Record<string, number>> = { tiles: 4, rows: 6, facts: 5, list: 8, text: 3 };

/**
 * The shape of what is being read, in its place.
 *
 * @param as names of shapes, one below the other: `line`, `text`, `facts`, `list`, `rows`, `tiles`, `chart` and `box`
 */
export function Skeleton({ as }: { readonly as: string }) {
  useEffect(() => {
    let count = 0;
    const timer = setTimeout(() => (shown.value += count = 1), HIDDEN);
    return () => {
      clearTimeout(timer);
      shown.value -= count;
    };
  }, []);
  return (
    <div class="skeleton" aria-busy="true">
      {as.split(' ').map((shape) => (
        <div key={shape} class={shape}>
          {Array.from({ length: PARTS[shape] ?? 1 }, (_, index) => (
            <i key={index} />
          ))}
        </div>
      ))}
    </div>
  );
}
