/** How long ago, as a person says it. */
export function sayAgo(iso: string | null, now: Date): string {
  if (!iso) return "never";
  const s = Math.round((now.getTime() - Date.parse(iso)) / 1_000);
  if (s < 0) return `in ${span(-s)}`;
  return s < 5 ? "just now" : `${span(s)} ago`;
}

function span(s: number): string {
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3_600) return `${Math.round(s / 3_600)} h`;
  return `${Math.round(s / 86_400)} days`;
}

/** `08:04:17.123` of the person's own day. */
export function sayClock(iso: string): string {
  const at = new Date(iso);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** `1.4 GB`, in powers of ten as file managers say it. */
export function sayBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, at] = [bytes, 0];
  while (value >= 1_000 && at < units.length - 1) [value, at] = [value / 1_000, at + 1];
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}
