import { useRef, useState } from 'preact/hooks';
import type { Layout } from './plot-layout.js';

/** A pointer that has moved further than this, in pixels, drags. */
const DRAGGED = 6;

/** What the user looks at in a plot. */
export interface Selection {
  /** The item whose values are shown. */
  readonly shown: number | null;
  /** The first and the last item of a time that is being picked. */
  readonly range: readonly [first: number, last: number] | null;
  readonly handlers: object;
}

/** Lets the user look at the items of a plot and pick some of them, by pointer, by touch and by keys. */
export function useSelection(
  count: number,
  { left, step }: Layout,
  pick: (first: number, last: number) => void,
): Selection {
  const [at, setAt] = useState<number | null>(null);
  const [start, setStart] = useState<number | null>(null);
  const pressed = useRef<{ readonly x: number; readonly index: number } | null>(null);
  // The plot may have become shorter.
  const shown = at === null || count === 0 ? null : Math.min(at, count - 1);
  const range =
    shown === null || start === null
      ? null
      : ([Math.min(start, shown), Math.max(start, shown)] as const);
  const within = (index: number) => Math.max(0, Math.min(count - 1, index));
  const itemAt = (event: PointerEvent) => {
    const { left: edge } = (event.currentTarget as Element).getBoundingClientRect();
    return within(Math.floor((event.clientX - edge - left) / step));
  };
  const leave = () => {
    pressed.current = null;
    setStart(null);
    setAt(null);
  };
  const take = ([first, last]: readonly [number, number]) => {
    pick(first, last);
    setStart(null);
  };
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      pressed.current = { x: event.clientX, index: itemAt(event) };
      setStart(null);
      setAt(pressed.current.index);
    },
    onPointerMove: (event: PointerEvent) => {
      const begun = pressed.current;
      if (begun !== null && Math.abs(event.clientX - begun.x) > DRAGGED) setStart(begun.index);
      setAt(itemAt(event));
    },
    onPointerUp: (event: PointerEvent) => {
      const begun = pressed.current;
      pressed.current = null;
      if (begun === null || range === null) return;
      const index = itemAt(event);
      take([Math.min(begun.index, index), Math.max(begun.index, index)]);
    },
    // The page is scrolled by touch.
    onPointerCancel: leave,
    onPointerLeave: (event: PointerEvent) => {
      if (event.pointerType === 'mouse' && pressed.current === null) leave();
    },
    onFocus: () => setAt((before) => before ?? within(count - 1)),
    onBlur: leave,
    onKeyDown: (event: KeyboardEvent) => {
      const here = shown ?? count - 1;
      const to = {
        ArrowLeft: here - 1,
        ArrowDown: here - 1,
        ArrowRight: here + 1,
        ArrowUp: here + 1,
        Home: 0,
        End: count - 1,
      }[event.key];
      if (to !== undefined) {
        setStart(event.shiftKey ? (start ?? here) : null);
        setAt(within(to));
      } else if (event.key === 'Enter') take(range ?? [here, here]);
      else if (event.key === 'Escape' && start !== null) setStart(null);
      else return;
      event.preventDefault();
    },
  };
  return { shown, range, handlers };
}
