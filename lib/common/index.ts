export { Clock, SystemClock } from './clock.js';
export { type IdPrefix, isIdLike, newId } from './id.js';
export { type LogFacts, LogLine, MOST_IDS } from './log/log-line.js';
export { stackFrames, errorText } from './log/error-text.js';
export { FaultLog } from './log/fault-log.js';
