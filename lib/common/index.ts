export { Clock, SystemClock } from './clock.js';
export { type IdPrefix, newId } from './id.js';
export { framesOf, reasonOf } from './reason-of.js';
