import {
  CHANGE_KINDS,
  type SubscriberChange,
  type SubscriberChangePage,
} from '../../subscriber/index.js';
import {
  all,
  count,
  integer,
  list,
  nullable,
  oneOf,
  text,
  time,
  type ValueOf,
} from '../../common/json-schema.js';
import { pageOf, type QueryParameters } from '../http/query.js';

/** The query of the changes of a subscriber. */
export const CHANGES_QUERY = pageOf() satisfies QueryParameters;
export interface ChangesQuery {
  readonly limit: number;
  readonly after?: string;
}

/** The figures of an endpoint that fails. */
const FIGURES = all({
  share: {
    ...count,
    maximum: 100,
    description:
      'Percent of the way to being disabled: by time or by messages, whichever is less; 100 once it is disabled',
  },
  failingSince: { ...time, description: 'The first failed attempt since the latest success' },
  failingMessages: { ...count, description: 'Messages that have failed since then' },
  status: nullable({ ...integer, description: 'Of the latest answer' }),
  error: nullable({ ...text, description: 'Of the latest request without an answer' }),
  disablesAt: nullable({
    ...time,
    description: 'When it is disabled at the earliest, if it goes on failing',
  }),
  reason: nullable({
    ...oneOf(['gone', 'failing']),
    description: 'Why it is disabled: it answered 410, or has failed for too long',
  }),
});

/** A change of a subscriber, with the names of fields and without their values. */
export const SUBSCRIBER_CHANGE = {
  id: text,
  kind: oneOf(CHANGE_KINDS),
  at: time,
  by: { ...text, description: 'Who did it' },
  fields: { ...list(text), description: 'The names of the fields that have other values' },
  figures: nullable(FIGURES),
};
const VIEW = all(SUBSCRIBER_CHANGE);

export type SubscriberChangeView = ValueOf<typeof VIEW>;
export interface SubscriberChangePageView {
  readonly items: readonly SubscriberChangeView[];
  readonly next: string | null;
}

export function subscriberChangePageView({
  items,
  next,
}: SubscriberChangePage): SubscriberChangePageView {
  return { items: items.map(changeView), next };
}

function changeView({ id, kind, at, by, fields, figures }: SubscriberChange): SubscriberChangeView {
  return {
    ...{ id, kind, at: iso(at), by, fields },
    figures: figures && {
      ...figures,
      failingSince: iso(figures.failingSince),
      disablesAt: figures.disablesAt === null ? null : iso(figures.disablesAt),
    },
  };
}

function iso(moment: number): string {
  return new Date(moment).toISOString();
}
