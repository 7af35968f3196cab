import { useState } from 'preact/hooks';
import { owner } from '../core/source.js';
import { useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Content } from '../ui/content.js';
import { Loaded } from '../ui/screen.js';

/** The example of an event, which is read when the user opens it. */
export function EventExample({ name }: { readonly name: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="example" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{t().form.example(name)}</summary>
      {isOpen && <Example name={name} />}
    </details>
  );
}

function Example({ name }: { readonly name: string }) {
  const data = useData(`example ${name}`, (signal) => owner.eventType(name, signal));
  return (
    <Loaded data={data} as="text">
      {({ example }) =>
        example === null ? (
          <p class="hint">{t().noExample}</p>
        ) : (
          <Content label={t().example} text={JSON.stringify(example)} />
        )
      }
    </Loaded>
  );
}
