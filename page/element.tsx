import { render } from 'preact';
import type { ShellSettings } from '../lib/page/shell.js';
import { App } from './app.js';
import { authorization, isLockedOut } from './core/client.js';
import { follow, go } from './core/router.js';
import { exchange, onRenewal, visit } from './core/session.js';
import { begin } from './core/settings.js';
import { loadEarly } from './routes.js';
import {
  LANGUAGES,
  type Language,
  setLanguage,
  startLanguage,
  WITHOUT_TEXTS,
} from './text/index.js';

let isTaken = false;

/**
 * Defines `<thorn-portal>`: the page in a shadow root of another document, without a frame. There is one in a document, since
 * one session and one place belong to the page.
 *
 * Properties `code` and `authorization` let the user in; the event `thorn-renew` asks for another `code`. Attributes `path`,
 * `theme` and `language` are read when it is shown.
 */
export function defineElement(settings: ShellSettings, style: string): void {
  class ThornPortal extends HTMLElement {
    #code: string | undefined;
    #ownsPage = false;

    /** The code of a link, which works once. */
    set code(code: string | undefined) {
      if (typeof code !== 'string') return;
      if (this.#ownsPage) void exchange(code);
      else this.#code = code;
    }

    /** The value of the header `Authorization`, for the application's own guards. */
    set authorization(value: string) {
      authorization.value = value;
      isLockedOut.value = false;
    }

    async connectedCallback(): Promise<void> {
      if (isTaken) throw new Error('There may be one <thorn-portal> in a document.');
      isTaken = this.#ownsPage = true;
      const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
      const app = document.createElement('div');
      // The document may style the element, and its content would inherit these styles. The class resets them.
      app.className = 'portal';
      app.dataset['theme'] = this.getAttribute('theme') ?? 'system';
      const sheet = document.createElement('link');
      Object.assign(sheet, { rel: 'stylesheet', href: style, crossOrigin: 'anonymous' });
      const isStyled = new Promise((resolve) => {
        sheet.addEventListener('load', resolve);
        sheet.addEventListener('error', resolve);
      });
      shadow.replaceChildren(sheet, app);
      begin(settings, app);
      follow(app);
      onRenewal(() => this.dispatchEvent(new CustomEvent('thorn-renew')));
      go(this.getAttribute('path') ?? '/');
      this.#takeOver('code');
      this.#takeOver('authorization');
      this.code = this.#code;
      this.#code = undefined;
      const language = this.getAttribute('language') ?? '';
      const wanted = language in LANGUAGES ? (language as Language) : startLanguage();
      try {
        await Promise.all([isStyled, setLanguage(wanted)]);
      } catch {
        app.append(WITHOUT_TEXTS);
        return;
      }
      if (!this.#ownsPage) return;
      render(<App />, app);
      loadEarly();
    }

    /** Applies a property that was set before the class was defined. Such a property hides the setter of the class. */
    #takeOver(name: 'code' | 'authorization'): void {
      const given = Object.getOwnPropertyDescriptor(this, name);
      if (given === undefined) return;
      delete (this as Partial<Record<typeof name, string>>)[name];
      this[name] = given.value as string;
    }

    disconnectedCallback(): void {
      if (!this.#ownsPage) return;
      const app = this.shadowRoot?.querySelector('div');
      if (app != null) render(null, app);
      isTaken = this.#ownsPage = false;
      // The next element may be for somebody else.
      visit.value += 1;
    }
  }
  customElements.define('thorn-portal', ThornPortal);
}
