import type { form as formEn } from './form.en.js';
import type { Translation } from './translation.js';

export const form: Translation<typeof formEn> = {
  filterJson: 'Filter als JSON',
  rowsHint:
    'Nur Ereignisse, deren Daten diese Bedingungen erfüllen, werden gesendet. Schreiben Sie „5“ in Anführungszeichen für den Text und 5 für die Zahl.',
  tooComplex: 'Dieser Filter lässt sich nicht als Bedingungen zeigen. Bearbeiten Sie ihn als JSON.',
  asRows: 'Als Bedingungen bearbeiten',
  asJson: 'Als JSON bearbeiten',
  join: 'Senden, wenn',
  joinAnd: 'alle Bedingungen gelten',
  joinOr: 'eine Bedingung gilt',
  condition: (number) => `Bedingung ${number}`,
  field: 'Feld',
  operator: 'Vergleich',
  value: 'Wert',
  addCondition: 'Bedingung hinzufügen',
  removeCondition: (number) => `Bedingung ${number} löschen`,
  operators: {
    eq: 'ist',
    ne: 'ist nicht',
    gt: 'ist größer als',
    gte: 'ist mindestens',
    lt: 'ist kleiner als',
    lte: 'ist höchstens',
    in: 'ist eines von',
    notIn: 'ist keines von',
    contains: 'enthält',
    startsWith: 'beginnt mit',
    endsWith: 'endet mit',
    present: 'hat einen Wert',
    absent: 'hat keinen Wert',
  },
  preview: 'Mit den letzten Ereignissen testen',
  passed: (passed, all) => `${passed} der letzten ${all} Ereignisse würden gesendet.`,
  noMessages: 'Es gibt noch keine Ereignisse, mit denen der Filter getestet werden könnte.',
  previewed: 'Getestete Ereignisse',
  passes: 'Gesendet',
  stopped: 'Nicht gesendet',
  exclude: 'Ereignisse auslassen',
  excludeHint:
    'Muster wie article.removed, durch Leerzeichen getrennt. Lassen Sie das Feld leer, um kein Ereignis auszulassen.',
  changed: 'Nur wenn eines dieser Felder geändert wurde',
  changedHint:
    'Namen wie price stock, durch Leerzeichen getrennt. Lassen Sie das Feld leer, um jedes Ereignis zu erhalten.',
  rateLimit: 'Ratenbegrenzung',
  rateLimitHint:
    'Die größte Zahl von Anfragen; weitere warten. Lassen Sie das Feld leer, wenn es keine Grenze gibt.',
  rateLimitInvalid: 'Geben Sie eine ganze Zahl von 1 bis 1.000.000 ein.',
  end: 'Läuft ab',
  endHint:
    'Ab dieser Zeit erhält der Endpunkt keine Ereignisse. Lassen Sie das Feld leer, wenn er nicht abläuft.',
  until: (time) => `bis ${time}`,
  key: 'Schlüssel',
  per: 'Je',
  perSecond: 'Sekunde',
  perMinute: 'Minute',
  perHour: 'Stunde',
  perOther: (seconds) => `${seconds} Sekunden`,
  example: (name) => `Beispiel zu ${name}`,
  oldSecret: 'Das alte Geheimnis signiert noch',
  earlier:
    'Ihre erste Anfrage war bereits gespeichert. Dies ist ihr Ergebnis, mit Ihren damaligen Eingaben.',
  changedMeanwhile:
    'Jemand hat diesen Endpunkt geändert, während Sie ihn bearbeitet haben. Noch ist nichts gespeichert: Prüfen Sie die Änderungen, und speichern Sie erneut.',
  yoursReplaces: 'Ihr Wert ersetzt diesen beim Speichern.',
};
