import type { lists as listsEn, next as nextEn } from './lists.en.js';
import type { Translation } from './translation.js';

export const lists: Translation<typeof listsEn> = {
  searchedPart: 'Erst ein Teil der Endpunkte wurde durchsucht. Es gibt mehr.',
  searchOn: 'Suche fortsetzen',
  searchHint: 'Worum es geht, etwa eine Bestellnummer',
  searchIsExact:
    'Die Suche findet ganze Betreffe: Geben Sie für Bestellung 7 die 7 ein. Sie können auch einen Filter ändern oder entfernen.',
  ofSubject: (subject) => `Alle Zustellungen zu ${subject}`,
  from: 'Von',
  to: 'Bis',
  timeZone: (zone) => `Zeitzone: ${zone}`,
  range: 'Erstellt von … bis',
  id: 'Zustellung oder Nachricht',
  anyEndpoint: 'Entfernen: Filter nach Endpunkt',
  clear: 'Entfernen',
  searchedTo: (time) =>
    `Keine Ergebnisse bis ${time} zurück. Ältere Einträge sind noch nicht durchsucht.`,
  still: 'Neue Einträge werden nicht ergänzt.',
  shownOf: (count, total) => `${count} von ${total}`,
  someShown: (count) => `${count} gezeigt, weitere darunter`,
  allShown: (count) => `${count} insgesamt`,
  copyUrl: 'URL kopieren',
  copyId: 'Kennung kopieren',
  csv: 'Als CSV speichern',
  csvRead: (count) => `Wird gespeichert: ${count} gelesen …`,
  csvCut: (most) =>
    `Die Datei enthält die ersten ${most}. Filtern Sie nach Zeit, um die übrigen zu speichern.`,
  messageBody: 'Was gesendet wurde',
  noMessage:
    'Zu dieser Nachricht ist keine Zustellung gespeichert. Sie wurde vielleicht nach Ablauf ihrer Zeit gelöscht.',
  keys: 'Tastenkürzel',
  keyOf: {
    j: 'Zur nächsten Zeile',
    k: 'Zur vorigen Zeile',
    enter: 'Die Zeile öffnen',
    search: 'Zu den Filtern',
    help: 'Diese Kürzel zeigen',
  },
  useKeys: 'Diese Kürzel verwenden',
  newest: 'Die neuesten zeigen',
  select: 'Auswählen',
  selectAll: 'Alle gezeigten auswählen',
  retrySelected: (count) => `Ausgewählte erneut senden (${count})`,
  retryAll: 'Alle fehlgeschlagenen erneut senden',
  retryMatching: 'Alle passenden erneut senden',
  retryHint:
    'Sendet die Zustellungen, die zu den Filtern passen, noch einmal, mit denselben Kennungen. Ihr Server hat manche vielleicht schon verarbeitet. Eine Zustellung, die noch einmal fehlschlägt, steht bis zu ihrem letzten Versuch unter „Ausstehend“.',
  goesOn:
    'Sie können diesen Dialog schließen: Die Arbeit läuft weiter, solange die Seite offen ist.',
  stoppedAt: (text) => `angehalten: ${text}`,
  matching: (count, isAll) =>
    count === '0'
      ? 'Keine Zustellung passt.'
      : `${isAll ? '' : 'Mindestens '}${count === '1' ? '1 Zustellung passt.' : `${count} Zustellungen passen.`}`,
  sent: (count) =>
    count === '1' ? '1 Zustellung wird gesendet' : `${count} Zustellungen werden gesendet`,
  leftOut: (count) => `${count} ausgelassen:`,
};

export const next: Translation<typeof nextEn> = {
  paused: 'Vom Betreiber angehalten',
  pausedUntil: (time) => `Pause bis ${time}`,
  rateLimited: 'Wartet auf die Ratenbegrenzung',
  underWay: 'Wird gerade gesendet',
  due: 'Wird gleich gesendet',
  late: (when) => `Verspätet: war ${when} fällig`,
  retries: (when) => `Nächster Versuch ${when}`,
  sent: (when) => `Wird ${when} gesendet`,
};
