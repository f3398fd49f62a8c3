const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3_600;

/** IOS's `HH:MM:SS`; the hours grow beyond two digits. */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / HOUR_SECONDS);
  const minutes = Math.floor((whole % HOUR_SECONDS) / MINUTE_SECONDS);
  return [hours, minutes, whole % MINUTE_SECONDS].map((part) => String(part).padStart(2, '0')).join(':');
}
