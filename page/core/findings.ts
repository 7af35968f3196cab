import type { SignatureTexts } from '../text/request.en.js';

/** The known facts about a request that was sent; null for a fact that is not known. */
export interface SentFacts {
  readonly id: string;
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** Milliseconds from the receiver's clock, in the header `date` of its answer, to the time at which the answer came. */
  readonly clockError: number | null;
}

/** The facts that the receiver saw, as its owner types them in. Each may be empty. */
export interface SeenFacts {
  readonly secret: string;
  readonly headers: string;
  readonly body: string;
  /** The signature that the receiver's program computes. */
  readonly computed: string;
}

/** The signed content, and its signatures. */
export interface SignedFrame {
  readonly id: string;
  readonly time: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signatures: string;
}

/** One difference, or one fact that is right. */
export interface Finding {
  readonly tone: 'good' | 'bad' | 'wait' | 'off';
  readonly say: (texts: SignatureTexts) => string;
}
