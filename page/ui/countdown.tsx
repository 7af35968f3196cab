import { useEffect, useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import { dateTime, number } from '../text/index.js';

/** The time until a moment, which passes before one's eyes; nothing once it is over. */
export function Countdown({ until }: { readonly until: string }) {
  const left = () => Math.max(0, Math.ceil((Date.parse(until) - now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  if (seconds === 0) return null;
  const days = Math.floor(seconds / 86_400);
  const parts = [Math.floor((seconds % 86_400) / 3600), Math.floor((seconds % 3600) / 60)];
  const clock = [...parts, seconds % 60].map((one) => String(one).padStart(2, '0')).join(':');
  return (
    <time role="timer" dateTime={until} title={dateTime(until)}>
      {days > 0 && `${number(days, { style: 'unit', unit: 'day' })} `}
      {clock}
    </time>
  );
}
