import { useRef, useState } from 'preact/hooks';
import { ApiError } from './client.js';
import { isOut } from './session.js';

interface Edit<Item> {
  readonly key: string;
  readonly change: Partial<Item>;
  /** The item that the change is shown on. */
  item: Item;
  isAccepted: boolean;
}

/** Changes that are shown before the API has answered, and taken back when it refuses them. */
export interface Edits<Item> {
  /** The change that is shown of an item; undefined for none. */
  readonly of: (item: Item) => Partial<Item> | undefined;
  /** Shows a change at once. `work` sends it, and reads the item again. */
  readonly run: (item: Item, change: Partial<Item>, work: () => Promise<void>) => void;
  /** Why the latest change was taken back. */
  readonly error: ApiError | undefined;
}

export function useEdits<Item>(keyOf: (item: Item) => string): Edits<Item> {
  const [edits, setEdits] = useState<readonly Edit<Item>[]>([]);
  const [error, setError] = useState<ApiError>();
  // One after the other, so that the last click on an item is what counts.
  const queue = useRef(Promise.resolve());
  return {
    error,
    of: (item) => {
      const edit = edits.findLast(({ key }) => key === keyOf(item));
      // What was read before the API accepted the change does not have it yet. What is read afterwards is right.
      if (edit === undefined || (edit.isAccepted && edit.item !== item)) return undefined;
      edit.item = item;
      return edit.change;
    },
    run: (item, change, work) => {
      const edit = { key: keyOf(item), change, item, isAccepted: false };
      setError(undefined);
      setEdits((all) => [...all, edit]);
      queue.current = queue.current
        .then(work)
        .then(() => void (edit.isAccepted = true))
        .catch((failure: unknown) => {
          const reason = ApiError.of(failure);
          setEdits((all) => all.filter((one) => one !== edit));
          if (reason.status !== 401 || !isOut.value) setError(reason);
        });
    },
  };
}
