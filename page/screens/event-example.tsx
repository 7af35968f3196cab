import { useState } from 'preact/hooks';
import { call } from '../core/client.js';
import type { EventDetails } from '../core/model.js';
import { apiUrl } from '../core/settings.js';
import { path } from '../core/source.js';
import { useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Content } from '../ui/content.js';
import { Loaded } from '../ui/screen.js';

/** The example of an event, which is read when somebody wants to see it. */
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
  const data = useData(`example ${name}`, (signal) =>
    call<EventDetails>(apiUrl, path('event-types', name), { signal }),
  );
  return (
    <Loaded data={data}>
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
