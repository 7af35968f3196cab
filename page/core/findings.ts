import type { SignatureTexts } from '../text/request.en.js';

/** What is known of a request that was sent; null for what is not. */
export interface SentFacts {
  readonly id: string;
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** Milliseconds from the receiver's clock, in the header `date` of its answer, to the time at which the answer came. */
  readonly clockError: number | null;
}

/** What the receiver saw, as its owner types it in; each may be empty. */
export interface SeenFacts {
  readonly secret: string;
  readonly headers: string;
  readonly body: string;
  /** The signature that the receiver's program works out. */
  readonly computed: string;
}

/** What is signed, and the signatures that came of it. */
export interface SignedFrame {
  readonly id: string;
  readonly time: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signatures: string;
}

/** One difference, or one thing that is right. */
export interface Finding {
  readonly tone: 'good' | 'bad' | 'wait' | 'off';
  readonly say: (texts: SignatureTexts) => string;
}
