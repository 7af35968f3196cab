export { Clock, SystemClock } from './clock.js';
export { type IdPrefix, isId, newId } from './id.js';
export { framesOf, reasonOf } from './reason-of.js';
