import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
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
  // The dialog closes while the user is locked out, because nothing behind it could be reached.
  const out = isOut.value;
  // As a layout effect it ends before the dialog is removed, so that the browser can give the focus back.
  useLayoutEffect(() => {
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
    // Browsers close a dialog at the second Escape although `cancel` was prevented, so it is opened again.
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
