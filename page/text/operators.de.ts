import type { operators as en } from './operators.en.js';
import type { Translation } from './translation.js';

export const operators: Translation<typeof en> = {
  maintenance: 'Wartung',
  maintenanceLead: 'Lange Arbeiten an dem, was gespeichert ist. Die Anwendung läuft dabei weiter.',
  start: 'Beginnen',
  checked: (count) => (count === '1' ? '1 Zeile angesehen' : `${count} Zeilen angesehen`),
  // Prune
  prune: 'Aufräumen',
  pruneHint:
    'Löscht, was älter ist, als die Anwendung aufhebt. Worker tun dasselbe, wenn sie nichts zu tun haben.',
  pruneBefore: 'Abgeschlossene Nachrichten löschen von vor',
  pruneByOptions: 'Wie die Optionen der Anwendung sagen',
  daysAgo: (count) => `${count} Tagen`,
  wouldPrune: (deleted, bodies, isAll) =>
    `${isAll ? '' : 'Mindestens '}${deleted} Nachrichten würden gelöscht, und ${bodies} verlören ihren Inhalt.`,
  pruned: (deleted, bodies) => `${deleted} Nachrichten gelöscht, ${bodies} ohne ihren Inhalt`,
  // Reseal
  reseal: 'Secrets neu versiegeln',
  resealHint:
    'Versiegelt jedes gespeicherte Secret mit dem ersten Schlüssel, so dass ältere entfernt werden können.',
  wouldReseal: (count, isAll) =>
    `${isAll ? '' : 'Mindestens '}${count} Zeilen würden neu versiegelt.`,
  resealed: (count) => `${count} Zeilen neu versiegelt`,
  unreadable: (count) => `${count} Zeilen lassen sich mit keinem Schlüssel öffnen.`,
  // Deliveries
  retryAll: 'Alle fehlgeschlagenen wiederholen',
  retryAllHint: 'Sendet die fehlgeschlagenen Zustellungen, die die Filter auswählen, noch einmal.',
  cancelAll: 'Alle ausstehenden abbrechen',
  cancelAllHint:
    'Die ausstehenden Zustellungen, die die Filter auswählen, werden nicht mehr gesendet.',
  goesOn: 'Die Arbeit läuft weiter, wenn dies geschlossen wird, solange die Seite offen ist.',
  stoppedAt: (text) => `angehalten: ${text}`,
  wouldRetry: (count, isAll) =>
    `${isAll ? '' : 'Mindestens '}${count} fehlgeschlagene Zustellungen sind ausgewählt.`,
  wouldCancel: (count, isAll) =>
    `${isAll ? '' : 'Mindestens '}${count} ausstehende Zustellungen sind ausgewählt.`,
  retried: (done, refused) => `${done} noch einmal gesendet, ${refused} nicht möglich`,
  cancelled: (done, refused) => `${done} abgebrochen, ${refused} nicht möglich`,
  // Overview
  throughput: 'Durchsatz',
  live: 'Seit diese Seite geöffnet ist',
  failingEndpoints: 'Fehlschlagende Endpunkte',
  noFailingEndpoints: 'Kein Endpunkt schlägt seit längerem fehl.',
  failingSince: 'Schlägt fehl seit',
  messages: 'Nachrichten',
  notStored: 'In den Einstellungen der Anwendung',
  noWorker: 'Der Prozess, der antwortet, stellt nicht zu: andere tun es.',
  pauseThis: (host) => `${host} anhalten`,
};
