export { CreateThornSubscribers1795500000000 } from './create-thorn-subscribers.js';
