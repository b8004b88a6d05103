"use client";
import type { Service } from "@starform/contract/services";
import Link from "next/link";
import { paths, type ServicePlace } from "../../paths.ts";
import { buttonClass } from "../../ui/button.tsx";
import { CheckIcon, OutIcon } from "../../ui/icons.tsx";
import { Panel } from "../../ui/panel.tsx";

/** The end of the first run, until there is a second deployment: it is live, and this is what comes next. */
export function LiveNotice({ service, place }: { service: Service; place: ServicePlace }) {
  return (
    <Panel className="flex flex-wrap items-center gap-x-4 gap-y-3 border-good/50 p-4">
      <span className="grid size-8 shrink-0 place-items-center rounded-full bg-good/15 text-good">
        <CheckIcon />
      </span>
      <div className="min-w-0 flex-1 basis-60">
        <h2 className="font-semibold">{service.url ? "Your app is live" : "Your service runs"}</h2>
        <p className="text-[13px] text-ink-soft">
          The next push replaces it without a dropped request. See what it says in the{" "}
          <Link href={paths.logs(place)} className="text-accent hover:underline">
            logs
          </Link>
          , give it{" "}
          <Link href={paths.variables(place)} className="text-accent hover:underline">
            variables
          </Link>
          .
        </p>
      </div>
      {service.url && (
        <a
          href={service.url}
          target="_blank"
          rel="noreferrer"
          className={`${buttonClass("primary")} max-w-full`}
        >
          <span className="truncate">{service.url.replace(/^https?:\/\//, "")}</span> <OutIcon />
        </a>
      )}
    </Panel>
  );
}
