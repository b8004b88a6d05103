/** The five fields of a cron schedule as sets, in UTC; a field left at `*` puts no bound on day or weekday. */
export type CronFields = {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  readonly isAnyDay: boolean;
  readonly isAnyWeekday: boolean;
};

const shorthands: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
type Range = { readonly low: number; readonly high: number; readonly names?: readonly string[] };
const ranges: readonly Range[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: ["", ...months] },
  { low: 0, high: 6, names: weekdays },
];

const number = (text: string, { names }: Range): number => {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 && text !== "" ? named : Number(/^\d+$/.test(text) ? text : Number.NaN);
};

function parseField(text: string, range: Range): ReadonlySet<number> {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const [span = "", step = "1"] = part.split("/");
    const [from = "", to] =
      span === "*" || span === "?" ? [String(range.low), String(range.high)] : span.split("-");
    const low = number(from, range);
    const high = to === undefined ? (part.includes("/") ? range.high : low) : number(to, range);
    if (Number.isNaN(low) || Number.isNaN(high) || !(Number(step) > 0))
      throw new Error(
        `failed to parse int from ${from}: strconv.Atoi: parsing ${JSON.stringify(from)}: invalid syntax`,
      );
    if (low < range.low) throw new Error(`beginning of range (${low}) below minimum (${range.low}): ${part}`);
    if (high > range.high) throw new Error(`end of range (${high}) above maximum (${range.high}): ${part}`);
    if (low > high) throw new Error(`beginning of range (${low}) beyond end of range (${high}): ${part}`);
    for (let value = low; value <= high; value += Number(step)) found.add(value);
  }
  return found;
}

/** Reads a schedule; throws with the reason that the API server gives. */
export function parseCron(schedule: string): CronFields {
  const fields = (shorthands[schedule] ?? schedule).trim().split(/\s+/);
  if (fields.length !== 5)
    throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  const [minutes, hours, days, month, weekday] = fields.map((field, index) =>
    parseField(field, ranges[index] ?? { low: 0, high: 0 }),
  ) as [
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
  ];
  return {
    minutes,
    hours,
    days,
    months: month,
    weekdays: weekday,
    isAnyDay: fields[2]?.startsWith("*") ?? false,
    isAnyWeekday: fields[4]?.startsWith("*") ?? false,
  };
}

export function cronProblem(schedule: string): string | undefined {
  try {
    parseCron(schedule);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const isDay = ({ days, weekdays: on, isAnyDay, isAnyWeekday }: CronFields, date: Date): boolean => {
  const [byDay, byWeekday] = [days.has(date.getUTCDate()), on.has(date.getUTCDay())];
  return isAnyDay || isAnyWeekday ? byDay && byWeekday : byDay || byWeekday;
};

/** The start of the next month, day, hour or minute: the first of them that the schedule does not name now. */
function stepOn(fields: CronFields, at: Date): Date | undefined {
  const [year, month, day, hour] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours()];
  if (!fields.months.has(month + 1)) return new Date(Date.UTC(year, month + 1, 1));
  if (!isDay(fields, at)) return new Date(Date.UTC(year, month, day + 1));
  if (!fields.hours.has(hour)) return new Date(Date.UTC(year, month, day, hour + 1));
  return fields.minutes.has(at.getUTCMinutes()) ? undefined : new Date(at.getTime() + 60_000);
}

/** The first time after `after` that the schedule names, within the next five years. */
export function nextTime(fields: CronFields, after: Date): Date | undefined {
  const end = after.getTime() + 5 * 366 * 86_400_000;
  let at = new Date(Math.floor(after.getTime() / 60_000) * 60_000 + 60_000);
  while (at.getTime() < end) {
    const later = stepOn(fields, at);
    if (!later) return at;
    at = later;
  }
  return undefined;
}
