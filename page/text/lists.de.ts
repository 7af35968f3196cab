import type { lists as listsEn } from './lists.en.js';
import type { Translation } from './translation.js';

export const lists: Translation<typeof listsEn> = {
  searchedPart: 'Erst ein Teil der Endpunkte wurde durchsucht. Es gibt mehr.',
  searchOn: 'Suche fortsetzen',
  from: 'Von',
  to: 'Bis',
  range: 'Von … bis',
  id: 'Kennung einer Zustellung oder Nachricht',
  anyEndpoint: 'Von jedem Endpunkt',
  clear: 'Jeder',
  searchedTo: (time) =>
    `Keine Ergebnisse bis ${time} zurück. Ältere Einträge sind noch nicht durchsucht.`,
  still: 'Diese Liste bleibt, wie sie ist.',
  newest: 'Die neuesten zeigen',
  select: 'Auswählen',
  selectAll: 'Alle gezeigten auswählen',
  retrySelected: (count) => `Ausgewählte wiederholen (${count})`,
  retried: (count) =>
    count === '1' ? '1 wird erneut gesendet.' : `${count} werden erneut gesendet.`,
  notRetried: (count) => `${count} nicht erneut gesendet:`,
};
