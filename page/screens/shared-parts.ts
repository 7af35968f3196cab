// Parts of several files with screens. The first file of the page has them, else each would be a file of its own.
export { useEdits } from '../core/use-edits.js';
export { Countdown } from '../ui/countdown.js';
export { AnswerHeaders } from './answer-headers.js';
export { Cause } from './endpoint-failures.js';
export { Throughput } from './operator-throughput.js';
export { VerificationCode } from './verification-code.js';
