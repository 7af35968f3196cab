import type { SignedRequest } from './signed-request.js';

/** The place of a message among others of its key. */
export interface MessageOrder {
  /** The messages of one key have an order. */
  readonly key: string;
  /** A message with a smaller number happened before. */
  readonly sequence: number;
  /** False: both come from headers, which the signature does not cover. */
  readonly isSigned: boolean;
}

const MAX_KEY = 255;

/** Reads the order of a message of ours: from the body, which is signed, or else from `Hook-Key` and `Hook-Sequence`. */
export function orderOf({ headers }: SignedRequest, payload: unknown): MessageOrder | null {
  if (typeof payload === 'object' && payload !== null) {
    const { key, sequence } = payload as Readonly<Record<string, unknown>>;
    const signed = toOrder(key, sequence, true);
    if (signed !== null) return signed;
  }
  return toOrder(decoded(headers['hook-key']), headers['hook-sequence'], false);
}

function toOrder(key: unknown, value: unknown, isSigned: boolean): MessageOrder | null {
  // A form has texts alone.
  const sequence = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY) return null;
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) return null;
  return { key, sequence, isSigned };
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
