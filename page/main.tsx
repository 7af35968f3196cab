import { render } from 'preact';
import { App } from './app.js';
import { defineElement } from './element.js';
import { enter, listenToParent } from './core/session.js';
import { begin } from './core/settings.js';
import { setLanguage, startLanguage } from './text/index.js';
import './style/index.css';

export { defineElement };

const given = document.querySelector<HTMLMetaElement>('meta[name="thorn-page"]');
// Without the settings, another document has loaded this script for its element.
if (given !== null) {
  const app = document.querySelector<HTMLElement>('#app')!;
  begin(JSON.parse(given.content), app, document.documentElement);
  listenToParent();
  enter();
  void setLanguage(startLanguage()).then(() => render(<App />, app));
}
