export { Clock, SystemClock } from './time.js';
export { type IdPrefix, isIdLike, newId } from './id.js';
export { type LogFacts, LogLine, MOST_IDS, stackFrames, errorText, FaultLog } from './log.js';
