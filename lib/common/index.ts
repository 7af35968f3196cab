export { Clock, SystemClock } from './clock.js';
export { type IdPrefix, isId, newId } from './id.js';
export { type LogFacts, LogLine, MOST_IDS } from './log-line.js';
export { framesOf, reasonOf } from './error-text.js';
