import type {
  fields as fieldsEn,
  limits as limitsEn,
  problems as problemsEn,
  refusals as refusalsEn,
} from './problems.en.js';
import type { Translation } from './translation.js';

export const problems: Translation<typeof problemsEn> = {
  forbidden: 'Sie dürfen dies nicht tun.',
  'endpoint-unverified': 'Der Endpunkt hat noch nicht bestätigt, dass er Webhooks möchte.',
  'delivery-under-way':
    'Ein Versuch dieser Zustellung läuft gerade. Versuchen Sie es gleich noch einmal.',
  'delivery-finished': 'Diese Zustellung ist abgeschlossen: es gibt nichts mehr abzubrechen.',
  'message-expunged': 'Der Inhalt wurde nach seiner Zeit entfernt: es gibt nichts mehr zu senden.',
  'subscriber-disabled': 'Der Endpunkt ist abgeschaltet, abgelaufen oder wurde entfernt.',
  'request-under-way': 'Dies geschieht bereits. Versuchen Sie es gleich noch einmal.',
  'no-encryption-key':
    'Es gibt keinen Schlüssel zum Versiegeln: die Optionen der Anwendung nennen keinen.',
  'precondition-failed': 'Der Endpunkt wurde inzwischen geändert.',
  'body-too-large': 'Das ist zu lang.',
  'idempotency-key-reused': 'Dies ist bereits geschehen, mit Ihren ersten Eingaben.',
  'no-delivery-log': 'Zustellungen werden hier nicht aufgezeichnet.',
  unavailable: 'Das ist zurzeit nicht möglich. Versuchen Sie es später noch einmal.',
  'internal-error': 'Das hat nicht geklappt. Versuchen Sie es später noch einmal.',
};

export const limits: Translation<typeof limitsEn> = {
  'subscriber-limit': (count) =>
    `Es gibt bereits ${count} Endpunkte, mehr sind nicht möglich. Ändern oder löschen Sie einen davon.`,
  tooMany: (seconds) => `Zu viele Anfragen: in ${seconds} s ist es wieder möglich.`,
};

export const refusals: Translation<typeof refusalsEn> = {
  invalid: () => 'Das ist hier nicht möglich.',
  required: () => 'Dies fehlt.',
  'unknown-field': () => 'Die Anwendung kennt dies nicht.',
  length: ({ min, max }) => `${min} bis ${max} Zeichen.`,
  'too-long': ({ max }) => `Höchstens ${max} Zeichen.`,
  'too-deep': ({ max }) => `Höchstens ${max} Ebenen.`,
  'too-many': ({ max }) => `Höchstens ${max}.`,
  repeated: ({ pattern }) => `${pattern} kommt zweimal vor.`,
  'control-characters': () => 'Ohne unsichtbare Zeichen.',
  'not-a-time': () => 'Das ist keine Zeit.',
  'not-in-the-past': () => 'Eine Zeit in der Vergangenheit.',
  'not-in-the-future': () => 'Eine Zeit in der Zukunft.',
  'not-after-since': () => 'Das Ende muss nach dem Anfang liegen.',
  protocol: ({ protocols }) =>
    protocols === 'https'
      ? 'Sie muss mit https:// beginnen.'
      : 'Sie muss mit https:// oder http:// und einem Host beginnen.',
  port: ({ port, allowed }) =>
    allowed === undefined
      ? `Port ${port} ist nicht für Webhooks.`
      : `Port ${port} ist nicht erlaubt. Erlaubt sind ${allowed}.`,
  credentials: () => 'Ohne Benutzernamen und Passwort.',
  'malformed-url': () => 'Das ist keine URL.',
  'forbidden-character': () => 'Ohne Leerzeichen, Backslashes und unsichtbare Zeichen.',
  'host-limit': ({ limit }) =>
    `Es gibt bereits ${limit} Endpunkte dieses Hosts, mehr sind nicht möglich. Ändern oder löschen Sie einen davon.`,
  'malformed-pattern': () =>
    'Namen von Ereignissen oder Muster wie article.*: Buchstaben, Ziffern, _ und - zwischen Punkten, oder * für einen ganzen Teil.',
  'too-many-segments': ({ max }) => `Höchstens ${max} Teile zwischen Punkten.`,
  'unknown-event': ({ pattern }) => `Es gibt kein Ereignis ${pattern}.`,
  'hidden-event': ({ pattern }) => `${pattern} kann hier nicht gewählt werden.`,
  'malformed-template': ({ position }) =>
    `Die Vorlage hat einen Fehler bei Zeichen ${position}: {{ und }} müssen einen Pfad wie data.title umschließen.`,
  'not-json': () => 'Die Vorlage ist kein gültiges JSON.',
  'not-offered': () => 'Diese Anwendung bietet das nicht an.',
  excluded: ({ by }) => `Das ist nicht zusammen mit ${by} möglich.`,
  'no-changes': ({ events }) =>
    `Diese Ereignisse sagen nicht, welche Felder sich geändert haben: ${events}. Lassen Sie sie weg.`,
  'reserved-header': ({ header }) =>
    `${header} wird bei jeder Anfrage gesetzt und kann nicht ersetzt werden.`,
  'header-value': ({ header }) =>
    `Geben Sie einen Wert für ${header} ein: Buchstaben ohne Umlaute, Ziffern und Zeichen, ohne Leerzeichen am Anfang und am Ende.`,
  empty: () => 'Die Bedingung ist leer.',
  'unknown-path': ({ path }) => `Die Daten dieser Ereignisse haben kein Feld ${path}.`,
  'unknown-operator': ({ path, meant }) =>
    meant === undefined
      ? `${path} ist hier kein Vergleich.`
      : `${path} ist kein Vergleich. Meinten Sie ${meant}?`,
  'wrong-value': ({ path }) =>
    path === ''
      ? 'Diese Bedingung kann nicht verwendet werden.'
      : `${path} hat einen Wert, mit dem nicht verglichen werden kann.`,
  'never-holds': ({ path }) => `${path} kann nie zutreffen: das Feld hat Werte anderer Art.`,
  transition: () => 'Vergleiche mit der Zeit davor, wie nowEq, sind hier nicht möglich.',
  'unchecked-paths': ({ paths }) =>
    `Ob die Ereignisse das Feld ${paths} haben, kann nicht geprüft werden. Ein Feld, das fehlt, hat keinen Wert.`,
  'too-high': ({ max }) => `Höchstens ${max} in einer Minute.`,
  'in-use': () => 'Dieses signiert bereits.',
  'rotated-too-often': ({ max, next }) =>
    `Es signieren bereits ${max} Geheimnisse. Eines endet ${next}: warten Sie bis dahin, oder lassen Sie die alten gar nicht mehr signieren.`,
};

export const fields: Translation<typeof fieldsEn> = {
  url: 'An diese Adresse können keine Webhooks gesendet werden. Sie muss aus dem Internet erreichbar sein.',
  filter: 'Diese Bedingung kann nicht verwendet werden.',
  changed: 'Namen von Feldern, höchstens 50. Leer: immer.',
  rateLimit: 'Eine ganze Zahl von 1 bis 1.000.000.',
  headers:
    'Geben Sie einen Namen wie X-Api-Key ein, aus bis zu 128 Buchstaben, Ziffern und Bindestrichen.',
  timeout: 'Geben Sie eine Zahl von 1 bis 30 ein, oder lassen Sie das Feld leer.',
  token: 'Geben Sie Buchstaben ohne Umlaute, Ziffern und Zeichen ein, ohne Leerzeichen.',
  username: 'Geben Sie einen Text in einer Zeile ein, ohne Doppelpunkt.',
  password: 'Geben Sie einen Text in einer Zeile ein.',
  tokenUrl:
    'Von dieser Adresse können keine Tokens geholt werden. Geben Sie eine Adresse ein, die erreichbar ist.',
  clientId: 'Geben Sie einen Text in einer Zeile ein.',
  clientSecret: 'Geben Sie einen Text in einer Zeile ein.',
  scope: 'Geben Sie Namen mit je einem Leerzeichen dazwischen ein.',
  fields: 'Geben Sie Namen von Feldern ein, höchstens 50.',
  holdFor: 'Geben Sie eine Zahl über 0 und höchstens 14 Tage ein, oder lassen Sie das Feld leer.',
  host: 'Ein Host wie in URLs, mit seinem Port.',
  id: 'Das ist keine Kennung.',
};

export const otherRefusal = (reason: string) => `Das wird nicht angenommen („${reason}“).`;
