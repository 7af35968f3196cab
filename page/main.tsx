import { render } from 'preact';
import { App } from './app.js';
import { defineElement } from './element.js';
import { findOperator } from './core/operator.js';
import { capabilities, enterByLink, listenToParent } from './core/session.js';
import { begin } from './core/settings.js';
import { setLanguage, startLanguage } from './text/index.js';
import './style/index.css';

export { defineElement };

const given = document.querySelector<HTMLMetaElement>('meta[name="thorn-page"]');
// Without it, another document has loaded this for its element.
if (given !== null) {
  const app = document.querySelector<HTMLElement>('#app')!;
  begin(JSON.parse(given.content), document.documentElement, app);
  listenToParent();
  const entered = enterByLink().then(() => {
    // The holder of a link is an owner, whose token the operator API does not take.
    if (capabilities.value === null) void findOperator();
  });
  void Promise.all([setLanguage(startLanguage()), entered]).then(() => render(<App />, app));
}
