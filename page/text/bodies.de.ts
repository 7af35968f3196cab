import type { bodies as bodiesEn } from './bodies.en.js';
import type { Translation } from './translation.js';

export const bodies: Translation<typeof bodiesEn> = {
  title: 'Inhalt der Anfragen',
  kind: 'Umfang',
  kinds: {
    whole: 'Alles',
    fields: 'Nur manche Felder',
    thin: 'Nur ein Link',
    template: 'Eigene Vorlage',
  },
  kindHints: {
    whole: 'Jede Anfrage enthält alle Daten ihres Ereignisses.',
    fields: 'Jede Anfrage enthält nur die Felder der Daten, die Sie wählen.',
    thin: 'Anfragen enthalten keine Daten. Ihr Server holt sie mit dem Secret des Endpunkts über den Link.',
    template: 'Jede Anfrage enthält das JSON Ihrer Vorlage, zum Beispiel für einen Chat.',
  },
  known: 'Bekannte Felder',
  paths: 'Felder',
  pathsHint:
    'Pfade wie customer.name, durch Leerzeichen getrennt. Andere Felder werden nicht gesendet.',
  template: 'Vorlage',
  templateHint:
    'JSON, in dem {{type}}, {{timestamp}} oder {{data.title}} für Werte des Ereignisses stehen.',
  ready: 'Mit einer Vorlage beginnen für:',
  previewEvent: 'Vorschau mit dem Beispiel von',
  preview: 'Vorschau',
  noEvent: 'Wählen Sie ein Ereignis, um eine Vorschau zu sehen.',
};
