import type {
  AttemptFigures,
  AttemptHistory,
  MissingPart,
  SentRequest,
} from '../../outbox/index.js';

/** The headers of one attempt, for the subscriber's owner. */
export class SentHeadersView {
  readonly number: number;
  readonly startedAt: string;
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly missing: readonly MissingPart[];

  constructor({ number, startedAt, headers, missing }: SentRequest['attempts'][number]) {
    this.number = number;
    this.startedAt = new Date(startedAt).toISOString();
    this.headers = headers;
    this.missing = missing;
  }
}

/** The request of a delivery, for the subscriber's owner. */
export class SentRequestView {
  readonly deliveryId: string;
  readonly messageId: string;
  readonly event: string;
  readonly method: string;
  readonly url: string | null;
  readonly contentType: string | null;
  readonly body: string | null;
  readonly bodyEncoding: SentRequest['bodyEncoding'];
  /** The parts that are not shown, and why. */
  readonly missing: readonly MissingPart[];
  readonly attempts: readonly SentHeadersView[];

  constructor(request: SentRequest) {
    this.deliveryId = request.deliveryId;
    this.messageId = request.messageId;
    this.event = request.event;
    this.method = request.method;
    this.url = request.url;
    this.contentType = request.contentType;
    this.body = request.body;
    this.bodyEncoding = request.bodyEncoding;
    this.missing = request.missing;
    this.attempts = request.attempts.map((attempt) => new SentHeadersView(attempt));
  }
}

/** Figures of attempts by hour or day, for a plot. */
export class AttemptHistoryView {
  readonly by: 'hour' | 'day';
  readonly since: string;
  readonly until: string;
  /** Deliveries from then on were counted. */
  readonly countedSince: string;
  readonly total: AttemptFigures;
  readonly items: readonly (AttemptFigures & {
    readonly at: string;
    readonly isComplete: boolean;
  })[];

  constructor({ by, since, until, countedSince, total, items }: AttemptHistory) {
    this.by = by;
    this.since = new Date(since).toISOString();
    this.until = new Date(until).toISOString();
    this.countedSince = new Date(countedSince).toISOString();
    this.total = total;
    this.items = items.map((item) => ({ ...item, at: new Date(item.at).toISOString() }));
  }
}
