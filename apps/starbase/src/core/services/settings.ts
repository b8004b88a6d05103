import { ServiceSettings } from "@starform/contract/services";
import { digestOf } from "@starform/std/canonical-json";
import { Fault, wordsOf } from "@starform/std/fault";
import { Cron } from "croner";
import type { ServiceType } from "@starform/contract/names";
import type { PlacedService } from "./ports.ts";

export const defaultSettings: ServiceSettings = ServiceSettings.parse({});

/** Members that are simply left out; exactly what a PATCH body looks like once parsed. */
export type SettingsPatch = { [K in keyof ServiceSettings]?: ServiceSettings[K] | undefined };

/** The settings with a change laid over them; a Fault `invalid` where they make no sense together. */
export function withPatch(
  settings: ServiceSettings,
  patch: SettingsPatch,
  type: ServiceType,
): ServiceSettings {
  const stated = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const next = { ...settings, ...stated } as ServiceSettings;
  if (next.schedule !== null) checkSchedule(next.schedule);
  if (type !== "cron" && patch.schedule)
    throw new Fault("invalid", `only a service of the type cron has a schedule; this one is a ${type}`);
  if (type !== "web" && patch.healthCheck)
    throw new Fault("invalid", `only a web service has a health check; this one is a ${type}`);
  if (next.rootDirectory.split("/").includes(".."))
    throw new Fault("invalid", "the root directory lies inside the repository: it may not hold `..`");
  return next;
}

/** What every runtime reads the same: the last day of a month (L) or the second Monday (#) Kubernetes does not know. */
const scheduleWord =
  /^(|[*?]|\d+|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)$/i;

export function checkSchedule(schedule: string): void {
  if (schedule.trim().split(/\s+/).length !== 5)
    throw new Fault(
      "invalid",
      `"${schedule}" is not a schedule: write five fields (minute hour day month weekday, UTC), for example "0 4 * * *"`,
    );
  if (!schedule.split(/[\s,/-]+/).every((word) => scheduleWord.test(word)))
    throw new Fault(
      "invalid",
      `"${schedule}" is not a schedule: a field holds numbers, names such as MON or JAN, *, lists (1,15), ranges (1-5) and steps (*/10)`,
    );
  try {
    new Cron(schedule, { paused: true, timezone: "UTC" }).stop();
  } catch (error) {
    throw new Fault(
      "invalid",
      `"${schedule}" is not a schedule: ${wordsOf(error).replace(/^CronPattern: /, "")}`,
    );
  }
}

/** Of what a change of a service is made over. */
export const serviceChecksum = ({
  name,
  source,
  settings,
}: Pick<PlacedService, "name" | "source" | "settings">) =>
  digestOf({ name, source, settings: ServiceSettings.parse(settings) });

/** The settings that change what is built; the rest only changes how it runs. */
export const buildSettingsOf = ({
  rootDirectory,
  builder,
  dockerfilePath,
  installCommand,
  buildCommand,
  startCommand,
}: ServiceSettings) => ({
  rootDirectory,
  builder,
  dockerfilePath,
  installCommand,
  buildCommand,
  startCommand,
});
