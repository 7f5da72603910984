import type { ScheduleWindow, Weekday } from './types';

const DAY_MINUTES = 24 * 60;
const WEEKDAYS: readonly Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** The size that the schedule asks for at a moment: the greatest of all windows that hold then; 0 outside of them. */
export function scheduledMinimum(schedule: readonly ScheduleWindow[], at: number): number {
  return schedule.reduce((most, window) => (holds(window, at) ? Math.max(most, window.min) : most), 0);
}

/** A window that ends before it begins lasts past midnight, and belongs to the day on which it began. */
function holds({ days, from, to, timezone }: ScheduleWindow, at: number): boolean {
  const { day, minutes } = localTime(at, timezone);
  const [start, end] = [minutesOf(from), minutesOf(to)];
  const on = (offset: number): boolean => days.includes(WEEKDAYS[(day + offset + 7) % 7] ?? 'sun');
  if (start < end) return on(0) && start <= minutes && minutes < end;
  return (on(0) && minutes >= start) || (on(-1) && minutes < end);
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function localTime(at: number, timezone: string): { day: number; minutes: number } {
  const parts = formatter(timezone).formatToParts(at * 1000);
  const value = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((part) => part.type === type)?.value ?? '';
  const day = WEEKDAYS.findIndex((weekday) => value('weekday').toLowerCase().startsWith(weekday));
  return { day, minutes: (Number(value('hour')) * 60 + Number(value('minute'))) % DAY_MINUTES };
}

const formatters = new Map<string, Intl.DateTimeFormat>();
/** Making a formatter takes longer than all else here, so each time zone's is made once. */
function formatter(timezone: string): Intl.DateTimeFormat {
  const made =
    formatters.get(timezone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  formatters.set(timezone, made);
  return made;
}
