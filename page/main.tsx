import { render } from 'preact';
import { App } from './app.js';
import { findOperator } from './core/operator.js';
import { capabilities, enterByLink, listenToParent } from './core/session.js';
import { applyColours } from './core/settings.js';
import { setLanguage, startLanguage } from './text/index.js';
import './style.css';

applyColours();
listenToParent();
const entered = enterByLink().then(() => {
  // The holder of a link is an owner, whose token the operator API does not take.
  if (capabilities.value === null) void findOperator();
});
void Promise.all([setLanguage(startLanguage()), entered]).then(() =>
  render(<App />, document.querySelector('#app')!),
);
