import { signal } from '@preact/signals';
import { now } from '../core/clock.js';
import type { Attempt } from '../core/model.js';
import { root, settings } from '../core/settings.js';
import { attemptErrors } from './attempt-errors.en.js';
import type { Dictionary } from './en.js';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

/** The texts of each language, a file which the page loads when the language is chosen. */
const TEXTS: Readonly<Record<Language, () => Promise<Dictionary>>> = {
  en: async () => (await import('./en.js')).en,
  de: async () => (await import('./de.js')).de,
};

export const language = signal<Language>('en');
const dictionary = signal<Dictionary | undefined>(undefined);

/** Stands alone on a page whose texts could not be loaded. */
export const WITHOUT_TEXTS =
  'The page could not be loaded. Reload it. · Die Seite konnte nicht geladen werden. Laden Sie sie neu.';

/** The texts of the chosen language. The page shows nothing before it has them. */
export function t(): Dictionary {
  return dictionary.value!;
}

export async function setLanguage(wanted: Language): Promise<void> {
  dictionary.value = await TEXTS[wanted]();
  language.value = wanted;
  root.lang = wanted;
}

/** The language of the option `language`, else the first language of the browser that the page has. */
export function startLanguage(): Language {
  if (settings.language !== undefined) return settings.language;
  const known = navigator.languages.map((one) => one.slice(0, 2));
  return known.find((one): one is Language => one in LANGUAGES) ?? 'en';
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language.value + JSON.stringify(options);
  let known = formats.get(key);
  if (known === undefined)
    formats.set(key, (known = new Intl.DateTimeFormat(language.value, options)));
  return known;
}

export function dateTime(time: string | number): string {
  return format({ dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(time));
}

/** The date and the hour, for what happened within an hour. */
export function dateHour(time: string): string {
  return format({ dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

export function day(time: string): string {
  return format({ day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(time));
}

export function hour(time: string): string {
  return format({ hour: 'numeric', minute: '2-digit' }).format(new Date(time));
}

/** The time of the day with its seconds. */
export function clock(time: number): string {
  return format({ timeStyle: 'medium' }).format(new Date(time));
}

/** The time zone of the browser, for example `Europe/Berlin`. */
export function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(language.value, options).format(value);
}

export function percent(value: number | null): string {
  return value === null ? '–' : number(value, { style: 'percent', maximumFractionDigits: 1 });
}

export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 1000) return t().ms(number(value));
  return number(value / 1000, { style: 'unit', unit: 'second', maximumFractionDigits: 1 });
}

export function bytes(count: number): string {
  if (count < 1024) return number(count, { style: 'unit', unit: 'byte' });
  const kilobytes = count / 1024;
  return kilobytes < 1024
    ? number(kilobytes, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 })
    : number(kilobytes / 1024, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 });
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** Why an attempt of an owner's has no answer, with the fault of a certificate, which is a code. */
export function attemptError({ code, message }: NonNullable<Attempt['error']>): string {
  const fault = / \([A-Z][A-Z0-9_]+\)/.exec(message)?.[0] ?? '';
  const texts: Readonly<Record<string, string>> = t().attemptErrors;
  // A stored code may be of a newer version.
  return `${texts[code] ?? texts['internal']}${fault}.`;
}

/** The latest answer, or why there was none. */
export function answerText(
  figures: { readonly status: number | null; readonly error: string | null } | null,
): string {
  if (figures === null) return '';
  const { status, error } = figures;
  if (status !== null) return t().endpointTexts.answered(status);
  const texts: Readonly<Record<string, string>> = t().attemptErrors;
  return error === null ? '' : `${texts[error] ?? texts['internal']}.`;
}

/** The text that only operators see beside {@link attemptError}; null when it says the same. */
export function attemptDetail({ code, message }: NonNullable<Attempt['error']>): string | null {
  const texts: Readonly<Record<string, string>> = attemptErrors;
  return message.replace(/\.$/, '') === texts[code] ? null : message;
}

/** "3 min. ago" within an hour; before that the time of today, or the day and its time, so that rows can be told apart. */
export function moment(time: string): string {
  return Math.abs(Date.parse(time) - now()) < 3_600_000 ? ago(time) : momentAlone(time);
}

/** The time of today, or the day and its time. */
export function momentAlone(time: string): string {
  const at = new Date(time);
  const today = new Date(now());
  if (at.toDateString() === today.toDateString()) return hour(time);
  const year = at.getFullYear() === today.getFullYear() ? undefined : 'numeric';
  const parts = { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' } as const;
  return format({ ...parts, year }).format(at);
}

/** For example "3 min. ago". Some seconds are "now". */
export function ago(time: string | number): string {
  const distance = new Date(time).getTime() - now();
  const relative = new Intl.RelativeTimeFormat(language.value, { numeric: 'auto', style: 'short' });
  const [unit, size] = UNITS.find(([, one]) => Math.abs(distance) >= one) ?? ['second', 1000];
  return relative.format(Math.abs(distance) < 5000 ? 0 : Math.round(distance / size), unit);
}
