import { render } from 'preact';
import { App } from './app.js';
import { findOperator } from './core/operator.js';
import { applyColours } from './core/settings.js';
import { setLanguage, startLanguage } from './text/index.js';
import './style.css';

applyColours();
void findOperator();
void setLanguage(startLanguage()).then(() => render(<App />, document.querySelector('#app')!));
