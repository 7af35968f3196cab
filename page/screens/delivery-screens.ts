// The screens of one delivery and one message: the page loads this file when one of them is opened.
export { DeliveryScreen } from './delivery.js';
export { MessageScreen } from './message.js';
