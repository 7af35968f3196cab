export interface ProgressState {
  readonly done: number;
  /** Null when unknown. */
  readonly total: number | null;
  /** Milliseconds since it began. */
  readonly elapsed: number;
}

/** One line: what was done, how fast, and how long the rest will take. Pure. */
export function progressText({ done, total, elapsed }: ProgressState): string {
  const rate = elapsed > 0 ? (done * 1000) / elapsed : 0;
  const parts = [total === null ? `${done}` : `${done} of ${total}`, `${rounded(rate)}/s`];
  if (total !== null && total > 0) {
    parts.splice(1, 0, `${Math.min(100, Math.floor((done * 100) / total))} %`);
    if (rate > 0 && done < total) parts.push(`${timeText((total - done) / rate)} left`);
  }
  return parts.join(', ');
}

function rounded(rate: number): string {
  return rate >= 10 || rate === 0 ? String(Math.round(rate)) : rate.toFixed(1);
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
