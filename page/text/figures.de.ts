import type { figures as figuresEn } from './figures.en.js';
import type { Translation } from './translation.js';

export const figures: Translation<typeof figuresEn> = {
  noData: 'Keine Daten',
  pick: 'Ziehen Sie über das Diagramm, um die Zustellungen zu sehen, die in dieser Zeit erstellt wurden. Mit der Tastatur: Umschalt und Pfeiltasten, dann Eingabe.',
  drag: 'Ziehen zeigt die Zustellungen',
  picked: (from, to) => `Erstellt von ${from} bis ${to}`,
  openList: 'Diese Zustellungen filtern',
  perHour: 'Versuche je Stunde',
  perDay: 'Versuche je Tag',
  durations: 'Zeit bis zur Antwort',
  byHour: '24 Stunden',
  byDay: '30 Tage',
  inUtc: 'Tage beginnen um Mitternacht in UTC.',
  countedSince: (time) => `Nur Versuche seit ${time} sind gezählt, weil es so viele sind.`,
  allEndpoints: 'Alle zeigen',
  moreEndpoints: (count) =>
    `${count} Endpunkte sind gezeigt, zuerst die, die Aufmerksamkeit brauchen.`,
  lastFailure: 'Letzter Fehler',
  latestFailures: 'Letzte Fehler',
  noFailures: 'Keine Zustellung ist fehlgeschlagen oder wartet auf einen weiteren Versuch.',
  allFailed: 'Alle fehlgeschlagenen',
  attempts: (count) => (count === '1' ? '1 Versuch' : `${count} Versuche`),
  failedOf: (failed, all) => `${failed} von ${all} Versuchen fehlgeschlagen`,
};
