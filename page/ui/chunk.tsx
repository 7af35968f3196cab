import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../text/index.js';
import { Button } from './basics.js';
import { Screen } from './screen.js';
import { Skeleton } from './skeleton.js';

/** Screens in a file of their own, which the page loads when one of them is opened, or earlier. */
interface Chunk<Screens> {
  readonly load: () => void;
  readonly screen: (show: (screens: Screens) => JSX.Element) => JSX.Element;
}

/** @param read an `import()` of the file */
export function chunkOf<Screens>(read: () => Promise<Screens>): Chunk<Screens> {
  const screens = signal<Screens | undefined>(undefined);
  const isMissing = signal(false);

  function load(): void {
    read().then(
      (loaded) => (screens.value = loaded),
      () => (isMissing.value = true),
    );
  }

  function Shown({ show }: { readonly show: (loaded: Screens) => JSX.Element }) {
    useEffect(() => {
      if (screens.value === undefined) load();
    }, []);
    if (screens.value !== undefined) return show(screens.value);
    return isMissing.value ? <Missing /> : <Skeleton as="line tiles rows" />;
  }

  return { load, screen: (show) => <Shown show={show} /> };
}

/** Instead of screens whose file did not come. Some browsers ask for a file once only, and a new version has other files. */
function Missing() {
  return (
    <Screen
      title={t().missingFile}
      lead={t().missingFileHint}
      actions={<Button onClick={() => location.reload()}>{t().reload}</Button>}
    />
  );
}
