import type { attemptErrors as attemptErrorsEn } from './attempt-errors.en.js';
import type { Translation } from './translation.js';

export const attemptErrors: Translation<typeof attemptErrorsEn> = {
  timeout: 'Der Endpunkt hat nicht rechtzeitig geantwortet',
  'connection-reset': 'Die Verbindung brach ab, bevor die Antwort vollständig war',
  unreachable: 'Der Endpunkt war nicht erreichbar',
  tls: 'Es kam keine vertrauenswürdige TLS-Verbindung zustande',
  protocol: 'Die Antwort des Endpunkts ist kein gültiges HTTP',
  'oauth-token': 'Der Token-Endpunkt von OAuth gab kein Token',
  unencodable: 'Die Nachricht konnte nicht kodiert werden',
  'too-large': 'Die Nachricht ist größer, als der Endpunkt annimmt',
  internal: 'Die Anwendung konnte die Anfrage nicht senden',
  'recipient-refused': 'Die Optionen der Anwendung erlauben diese Adresse nicht',
  'connection-refused': 'Der Endpunkt hat die Verbindung abgelehnt',
  'name-not-resolved': 'Es gibt keinen solchen Host',
  proxy: 'Der Proxy der Anwendung hat die Anfrage nicht durchgelassen',
};
