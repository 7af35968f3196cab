import type { credentials as credentialsEn } from './credentials.en.js';
import type { Translation } from './translation.js';

export const credentials: Translation<typeof credentialsEn> = {
  headers: 'Header',
  headersHint:
    'Werden mit jeder Anfrage gesendet, zum Beispiel ein API-Schlüssel. Gespeicherte Werte werden nicht mehr angezeigt.',
  header: (name) => `Header „${name}“`,
  newHeader: (number) => `Neuer Header ${number}`,
  headerName: 'Name',
  headerValue: 'Wert',
  addHeader: 'Header hinzufügen',
  remove: (what) => `Löschen: ${what}`,
  replace: 'Wert ersetzen',
  keepValue: 'Alten Wert behalten',
  keepHeader: 'Nicht löschen',
  isHidden: 'Hat einen Wert, der nicht angezeigt wird',
  isRemoved: 'Wird beim Speichern gelöscht',
  auth: 'Anmeldung',
  type: 'Verfahren',
  types: { bearer: 'Bearer-Token', basic: 'Benutzername und Passwort', oauth2: 'OAuth 2.0' },
  typeHints: {
    none: 'Anfragen enthalten keine Zugangsdaten. Signiert sind sie in jedem Fall.',
    bearer: 'Anfragen enthalten dieses Token im Header Authorization.',
    basic: 'Anfragen enthalten beides im Header Authorization (HTTP Basic).',
    oauth2:
      'Von Ihrem Autorisierungsserver wird ein Token geholt (Client Credentials), das die Anfragen enthalten.',
  },
  members: {
    token: 'Token',
    username: 'Benutzername',
    password: 'Passwort',
    tokenUrl: 'Token-URL',
    clientId: 'Client-ID',
    clientSecret: 'Client-Secret',
    scope: 'Scope',
  },
  hints: {
    token: 'Wird nach dem Speichern nicht mehr angezeigt.',
    username: 'Wird nach dem Speichern nicht mehr angezeigt.',
    password: 'Wird nach dem Speichern nicht mehr angezeigt.',
    tokenUrl: 'Die URL Ihres Autorisierungsservers, die mit einem Token antwortet.',
    clientId: 'Der Name des Clients bei Ihrem Autorisierungsserver.',
    clientSecret: 'Wird nach dem Speichern nicht mehr angezeigt.',
    scope:
      'Die Rechte, um die gebeten wird, durch Leerzeichen getrennt. Lassen Sie das Feld leer, um keine zu erbitten.',
  },
  isSet: 'Ein Wert ist gespeichert. Lassen Sie das Feld leer, um ihn zu behalten.',
  again: 'Geben Sie es erneut ein, weil die URL zu einem anderen Server führt.',
  headerAgain:
    'Ersetzen Sie den Wert oder löschen Sie den Header, weil die URL zu einem anderen Server führt.',
  secretAgain: 'Geben Sie das Secret erneut ein, weil sich die Token-URL geändert hat.',
  withoutQuery: 'Ohne ihre Query angezeigt. Sie bleibt erhalten, solange Sie die URL nicht ändern.',
};
