import type { operators as en } from './operators.en.js';
import type { Translation } from './translation.js';

export const operators: Translation<typeof en> = {
  maintenance: 'Wartung',
  maintenanceLead: 'Lange Arbeiten an gespeicherten Daten. Die Anwendung läuft dabei weiter.',
  start: 'Beginnen',
  checked: (count) => (count === '1' ? '1 Zeile geprüft' : `${count} Zeilen geprüft`),
  // Prune
  prune: 'Alte Nachrichten löschen',
  pruneHint:
    'Löscht Nachrichten, die älter sind, als die Einstellungen der Anwendung erlauben. Worker tun dasselbe, wenn sie nichts zu tun haben.',
  pruneBefore: 'Nachrichten löschen, die abgeschlossen sind seit',
  pruneByOptions: 'Nach den Einstellungen der Anwendung',
  daysAgo: (count) => `${count} Tagen`,
  wouldPrune: (deleted, bodies, isAll) =>
    `${isAll ? '' : 'Mindestens '}${deleted} Nachrichten würden gelöscht, und die Inhalte von ${bodies} weiteren.`,
  pruned: (deleted, bodies) =>
    `${deleted} Nachrichten gelöscht, und die Inhalte von ${bodies} weiteren`,
  // Reseal
  reseal: 'Secrets neu verschlüsseln',
  resealHint:
    'Verschlüsselt jedes gespeicherte Secret mit dem ersten Schlüssel, so dass Sie ältere entfernen können.',
  wouldReseal: (count, isAll) =>
    `${isAll ? '' : 'Mindestens '}${count} Zeilen würden neu verschlüsselt.`,
  resealed: (count) => `${count} Zeilen neu verschlüsselt`,
  unreadable: (count) => `${count} Zeilen lassen sich mit keinem Schlüssel entschlüsseln.`,
  // Deliveries
  cancelAll: 'Alle ausstehenden abbrechen',
  cancelAllHint:
    'Die ausstehenden Zustellungen, die zu den Filtern passen, werden nicht mehr gesendet, es sei denn, jemand sendet sie erneut.',
  cancelled: (count) =>
    count === '1' ? '1 Zustellung abgebrochen' : `${count} Zustellungen abgebrochen`,
  // Overview
  throughput: 'Letzte 24 Stunden',
  now: 'Jetzt',
  allWell:
    'Alles in Ordnung: Kein Endpunkt schlägt fehl, kein Host ist angehalten, und nichts wartet zu lange.',
  resumed: 'Fortgesetzt',
  oldest: (when) => `Die älteste Zustellung war ${when} fällig.`,
  late: {
    allPaused: 'Alle Hosts sind angehalten.',
    paused: 'Einige Hosts sind angehalten.',
    broken: 'Einige Hosts schlagen fehl, so dass nur wenige Anfragen versucht werden.',
    idle: 'Kein Worker sendet: Sehen Sie in die Protokolle der Anwendung.',
    noWorker: 'Dieser Prozess sendet nicht: Prüfen Sie, ob ein Worker läuft.',
    busy: 'Die Worker sind im Rückstand: Mehr ist fällig, als sie senden können.',
  },
  showOldest: 'Diese Zustellung zeigen',
  showPending: 'Zeigen, was wartet',
  deliveriesOf: 'Zustellungen dieses Besitzers',
  allHosts: 'Alle Hosts',
  live: 'Seit diese Seite geöffnet ist',
  failingEndpoints: 'Endpunkte mit Fehlern',
  failingSince: 'Schlägt fehl seit',
  messages: 'Fehlgeschlagene Ereignisse',
  notStored: 'In den Einstellungen der Anwendung',
  noWorker: 'Dieser Prozess sendet keine Webhooks: Andere Prozesse tun es.',
  pauseThis: (host) => `${host} anhalten`,
};
