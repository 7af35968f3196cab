import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { isOut } from '../core/session.js';

interface DialogOptions {
  readonly title: string;
  readonly onClose: () => void;
  /** True: only a button of its own closes it, and not the key Escape. */
  readonly isKept?: boolean;
  readonly children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus inside, and gives it back afterwards. */
export function Dialog({ title, onClose, isKept = false, children }: DialogOptions) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isLeaving = useRef(false);
  const id = useId();
  // Nothing behind it could be reached while the user is locked out.
  const out = isOut.value;
  useEffect(() => {
    const element = dialog.current;
    if (out) return undefined;
    isLeaving.current = false;
    element?.showModal();
    return () => {
      isLeaving.current = true;
      element?.close();
    };
  }, [out]);
  const close = () => {
    if (isLeaving.current) return;
    // Browsers close it in spite of `cancel` when they are asked twice.
    if (isKept) dialog.current?.showModal();
    else onClose();
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => isKept && event.preventDefault()}
      onClose={close}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
