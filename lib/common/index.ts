export { Clock, SystemClock } from './clock.js';
export { type IdPrefix, isIdLike, newId } from './id.js';
export { type LogFacts, LogLine, MOST_IDS } from './log-line.js';
export { stackFrames, errorText } from './error-text.js';
export { type Eventual, eventually, isPromiseLike } from './async/eventually.js';
