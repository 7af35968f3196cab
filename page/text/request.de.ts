import type { Translation } from './translation.js';
import type { request as requestEn, SignatureTexts } from './request.en.js';

export const request: Translation<typeof requestEn> = {
  binary: 'Diese Bytes sind kein Text: Sie sind als Base64 gezeigt.',
  verify: 'Diese Signatur prüfen',
  sameAnswer: (before) => `Dieselbe Antwort wie bei Versuch ${before}`,
  changed: (parts) => `Anders als beim Versuch davor: ${parts}`,
  changes: { status: 'Status', error: 'Grund', body: 'Inhalt', headers: 'Header' },
  answerHeaders: 'Header der Antwort',
  notShown: (parts) => `Nicht gezeigt: ${parts}.`,
  parts: { url: 'URL', contentType: 'Content-Type', body: 'Inhalt' },
  missing: {
    expunged: 'Der Inhalt ist nicht mehr gespeichert.',
    unreadable:
      'Das Ereignis kann zurzeit nicht gelesen werden. Versuchen Sie es später noch einmal.',
    'subscriber-removed': 'Der Endpunkt wurde entfernt.',
    'subscriber-changed':
      'Der Endpunkt wurde nach dieser Anfrage geändert, deshalb lässt sie sich nicht mehr so zeigen, wie sie gesendet wurde. Senden Sie die Zustellung erneut, um eine mit den aktuellen Einstellungen zu sehen.',
    'in-settings':
      'Dieser Endpunkt steht in den Einstellungen der Anwendung, die sich seitdem geändert haben können. Dies ist also vielleicht nicht die Anfrage, die gesendet wurde.',
  },
  why: 'Warum passt meine Signatur nicht?',
  whyHint:
    'Vergleicht die gesendete Anfrage mit der Anfrage, die Ihr Programm sah. Der Vergleich läuft in diesem Browser: Ihre Eingaben werden nirgendwohin gesendet.',
  secretHint: 'Genau wie in Ihrem Programm, auch mit Leerzeichen und Anführungszeichen.',
  seenHeaders: 'Header, die Ihr Programm sah',
  seenHeadersHint: 'Einer je Zeile, etwa webhook-id: msg_…. Mit ihnen prüft die Seite das Secret.',
  seenBody: 'Inhalt, den Ihr Programm sah',
  seenBodyHint:
    'Der Text, bevor Ihr Programm ihn parst. Lassen Sie das Feld leer, um ihn nicht zu vergleichen.',
  computedField: 'Signatur, die Ihr Programm berechnet',
  computedHint:
    'Wenn Sie sie eingeben, sucht die Seite nach einem üblichen Fehler, der zu dieser Signatur führt.',
  compare: 'Vergleichen',
  noCrypto: 'Dieser Browser kann dies nur auf Seiten mit https.',
  nothing: 'Fügen Sie zuerst das Secret, die Header oder den Inhalt ein.',
};

export const signature: SignatureTexts = {
  headerMissing: (name) =>
    `Der Header ${name} fehlt. Ein Proxy oder ein Framework dazwischen hat ihn vielleicht entfernt.`,
  headersComplete: 'Alle Header der Signatur sind vorhanden.',
  'webhook-id':
    'webhook-id ist die eines anderen Ereignisses: Diese Header gehören zu einer anderen Anfrage.',
  bodySame: 'Der Inhalt stimmt mit dem gesendeten überein.',
  bodyEnds:
    'Der Inhalt hat am Anfang oder Ende andere Leerzeichen oder Zeilenumbrüche. Prüfen Sie die Bytes, wie sie kamen.',
  bodyWrittenAnew:
    'Der Inhalt hat dieselben Daten, ist aber anders geschrieben: Er wurde geparst und neu serialisiert. Prüfen Sie die Bytes, wie sie kamen, bevor sie geparst werden.',
  bodyBlanks:
    'Der Inhalt hat andere Leerzeichen oder Zeilenumbrüche. Prüfen Sie die Bytes, wie sie kamen.',
  bodyCharset:
    'Der Inhalt wurde in einem anderen Zeichensatz gelesen. Er ist UTF-8: Prüfen Sie seine Bytes.',
  bodyCut: (seen, sent) =>
    `Der Inhalt ist abgeschnitten: ${seen} von ${sent} Zeichen. Suchen Sie nach einer Grenze in Ihrem Framework.`,
  bodyDiffers: (at) =>
    `Der Inhalt ist ein anderer: Er weicht ab Zeichen ${at} ab. Etwas hat ihn unterwegs geändert, oder er gehört zu einer anderen Anfrage.`,
  notEnough:
    'Das Secret kann nicht geprüft werden: Fügen Sie die Header ein, die Ihr Programm sah, und den Inhalt, wo er hier nicht gezeigt ist.',
  secretRight: 'Das Secret stimmt.',
  secretOld:
    'Das ist ein altes Secret, aus der Zeit vor einer Erneuerung. Es signiert nur noch eine Weile: Wechseln Sie zum neuen.',
  secretWrong:
    'Diese Signatur stammt nicht von diesem Secret: Es gehört zu einem anderen Endpunkt oder in die Zeit vor oder nach einer Erneuerung, oder die Header wurden geändert.',
  secretBlanks:
    'Das Secret ist richtig, hat aber Leerzeichen, Zeilenumbrüche oder Anführungszeichen um sich. Entfernen Sie diese dort, wo Ihr Programm es liest.',
  secretPrefix: 'Das Secret ist richtig, aber whsec_ am Anfang fehlt.',
  secretOrBody: 'Secret und Inhalt passen nicht zur Signatur: Eines von beiden ist falsch.',
  privateKey:
    'Dies ist der private Schlüssel. Geprüft wird mit dem öffentlichen, der mit whpk_ beginnt.',
  computed: {
    right:
      'Ihr Programm berechnet die richtige Signatur. Vergleichen Sie sie mit jeder in webhook-signature.',
    hex: 'Ihr Programm schreibt die Signatur hexadezimal. Vergleichen Sie sie als Base64.',
    key: 'Ihr Programm nimmt den Text des Secrets als Schlüssel. Der Schlüssel ist, was das Base64 nach whsec_ ergibt.',
    payload:
      'Ihr Programm signiert etwas anderes. Signiert werden webhook-id, ein Punkt, webhook-timestamp, ein Punkt und der Inhalt.',
    parsed:
      'Ihr Programm signiert einen Inhalt, der geparst und neu serialisiert wurde. Signieren Sie die Bytes, wie sie kamen.',
    unknown: 'Kein üblicher Fehler führt zu der Signatur, die Ihr Programm berechnet.',
  },
  clockOff: (minutes, isRefused) =>
    `Die Uhr Ihres Servers geht etwa ${Math.abs(minutes)} min ${minutes < 0 ? 'nach' : 'vor'}, wie der Header date seiner Antwort zeigt.${isRefused ? ' Empfänger weisen ab, was mehr als 5 Minuten abweicht.' : ''}`,
};
