/** `4 s`, `12 min`, `3 h`, `2 d`. */
export function duration(seconds) {
  const value = Math.max(0, seconds);
  if (value < 90) return `${Math.round(value)} s`;
  if (value < 90 * 60) return `${Math.round(value / 60)} min`;
  if (value < 36 * 3600) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} d`;
}

export function euros(amount) {
  return `€${amount.toFixed(amount < 1 ? 3 : 2)}`;
}

/** Time of day, with the date where it is not today. */
export function clock(at, now) {
  const date = new Date(at * 1000);
  const time = date.toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });
  const today = date.toDateString() === new Date(now * 1000).toDateString();
  return today ? time : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })} ${time}`;
}

export function amount(count, what) {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
