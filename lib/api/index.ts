export { apiController } from './api-controller.js';
export { type ApiRequest, type ApiUser, type ThornApiOptions } from './api-options.js';
export { jwksController } from './jwks-controller.js';
export { CreatedSubscriberView, SubscriberPageView, SubscriberView } from './subscriber.view.js';
