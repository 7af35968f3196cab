import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { container, isEmbedded } from '../core/settings.js';
import { t } from '../text/index.js';
import { Button } from './basics.js';
import { Dialog } from './dialog.js';

/** Users of speech input turn single keys off, because spoken words would press them. */
const isOn = signal(true);
/** Keys that are no letters, by the names of their texts. */
const LABELS: Readonly<Record<string, string>> = { enter: '⏎', search: '/', help: '?' };
const TYPED = 'input, textarea, select, [contenteditable]';

/** Keys for lists, and the button that explains them. In an element, they belong to the element and not to the document. */
export function Keys() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const place: EventTarget = isEmbedded() ? container : document;
    const press = (event: Event) => {
      const { key, ctrlKey, metaKey, altKey, defaultPrevented } = event as KeyboardEvent;
      const [at] = event.composedPath();
      const isTyped = at instanceof Element && at.matches(TYPED);
      if (defaultPrevented || ctrlKey || metaKey || altKey || isTyped || !isOn.value) return;
      if (container.querySelector('dialog[open]') !== null) return;
      if (key === '?') setOpen(true);
      else if (key === '/') searchField()?.focus();
      else if (key === 'j' || key === 'k') linkBeside(key === 'j' ? 1 : -1)?.focus();
      else return;
      event.preventDefault();
    };
    place.addEventListener('keydown', press);
    return () => place.removeEventListener('keydown', press);
  }, []);
  const texts = t().lists;
  return (
    <>
      <div class="keys-button">
        <Button kind="quiet" onClick={() => setOpen(true)}>
          {texts.keys}
        </Button>
      </div>
      {isOpen && (
        <Dialog title={texts.keys} onClose={() => setOpen(false)}>
          <dl class="keys">
            {Object.entries(texts.keyOf).map(([key, text]) => (
              <div key={key}>
                <dt>
                  <kbd>{LABELS[key] ?? key}</kbd>
                </dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
          <label class="choice">
            <input
              type="checkbox"
              checked={isOn.value}
              onChange={() => (isOn.value = !isOn.value)}
            />
            <span>{texts.useKeys}</span>
          </label>
          <div class="form-end">
            <Button kind="primary" onClick={() => setOpen(false)}>
              {t().close}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function searchField(): HTMLElement | null {
  const fields = '[role=search] input:not([type=checkbox]), [role=search] select';
  return container.querySelector<HTMLElement>(fields);
}

/** The first link of the row before or after the row that has the focus. */
function linkBeside(step: 1 | -1): HTMLElement | undefined {
  const links = [...container.querySelectorAll('tbody tr')].flatMap(
    (row) => row.querySelector<HTMLElement>('a[href]') ?? [],
  );
  const active = (container.getRootNode() as Document | ShadowRoot).activeElement;
  const now = links.findIndex((link) => link.closest('tr')!.contains(active));
  return links[now === -1 ? (step === 1 ? 0 : links.length - 1) : now + step];
}
