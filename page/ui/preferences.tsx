import { signal } from '@preact/signals';
import { root } from '../core/settings.js';
import { language, type Language, LANGUAGES, setLanguage, t } from '../text/index.js';
import { TimeZone } from './basics.js';

const THEMES = ['system', 'light', 'dark'] as const;
const NAMES = { system: 'themeSystem', light: 'themeLight', dark: 'themeDark' } as const;
type Theme = (typeof THEMES)[number];
/** The chosen theme; undefined until the user chooses one, because the document around the page may have set it. */
const theme = signal<Theme>();

/** The choice of language and colours. Nothing is stored: a page in a frame may have no storage. */
export function Preferences() {
  return (
    <div class="side-end">
      <label>
        <span>{t().language}</span>
        <select
          value={language.value}
          onChange={(event) => void setLanguage(event.currentTarget.value as Language)}
        >
          {Object.entries(LANGUAGES).map(([key, name]) => (
            <option key={key} value={key} lang={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t().theme}</span>
        <select
          value={theme.value ?? root.dataset['theme'] ?? 'system'}
          onChange={(event) => {
            theme.value = event.currentTarget.value as Theme;
            root.dataset['theme'] = theme.value;
          }}
        >
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {t()[NAMES[one]]}
            </option>
          ))}
        </select>
      </label>
      <TimeZone />
    </div>
  );
}
