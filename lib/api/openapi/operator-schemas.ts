import { OPERATOR_ATTEMPT_HISTORY, SENT_REQUEST } from '../deliveries/delivery-reports.view.js';
import { bodySchema } from '../http/validators.js';
import { LAST_DAY } from '../subscribers/last-day.view.js';
import { OPERATOR_SUBSCRIBER } from '../operator/operator-subscriber.view.js';
import {
  OPERATOR_DELIVERY,
  OPERATOR_DELIVERY_DETAILS,
  OVERVIEW,
  PRUNED,
  RESEALED,
  SETUP_REPORT,
} from '../operator/operator.view.js';
import { PauseDto, PruneDto, ResealDto } from '../operator/operator.dto.js';
import { all, type Schema, text } from '../../common/json-schema.js';
import { page } from './document-schema.js';

export const OPERATOR_SCHEMAS: Readonly<Record<string, Schema>> = {
  Overview: OVERVIEW,
  SetupReport: SETUP_REPORT,
  OperatorSentRequest: SENT_REQUEST,
  OperatorAttemptHistory: OPERATOR_ATTEMPT_HISTORY,
  NewPause: bodySchema(PauseDto),
  OperatorSubscriber: all(OPERATOR_SUBSCRIBER),
  ListedOperatorSubscriber: all(OPERATOR_SUBSCRIBER, { lastDay: LAST_DAY }),
  OperatorSubscriberPage: page('ListedOperatorSubscriber'),
  OperatorDelivery: OPERATOR_DELIVERY,
  OperatorDeliveryPage: page('OperatorDelivery'),
  OperatorDeliveryDetails: OPERATOR_DELIVERY_DETAILS,
  DeliveryState: all({ state: text }),
  Prune: bodySchema(PruneDto),
  PruneResult: PRUNED,
  Reseal: bodySchema(ResealDto),
  ResealResult: RESEALED,
};
