import { render } from 'preact';
import { App } from './app.js';
import { defineElement } from './element.js';
import { enter, listenToParent } from './core/session.js';
import { begin } from './core/settings.js';
import { loadEarly } from './routes.js';
import { setLanguage, startLanguage, WITHOUT_TEXTS } from './text/index.js';

export { defineElement };
export * from './screens/shared-parts.js';

const given = document.querySelector<HTMLMetaElement>('meta[name="thorn-page"]');
// Without the settings, another document has loaded this script for its element.
if (given !== null) {
  const app = document.querySelector<HTMLElement>('#app')!;
  begin(JSON.parse(given.content), app, document.documentElement);
  listenToParent();
  enter();
  setLanguage(startLanguage()).then(
    () => {
      render(<App />, app);
      loadEarly();
    },
    () => app.append(WITHOUT_TEXTS),
  );
}
