"use client";
import { createDeployment } from "@starform/contract/deployments";
import { sayByHand } from "@starform/contract/say-health";
import { getService, restartService, type Service } from "@starform/contract/services";
import { isFault } from "@starform/std/fault";
import Link from "next/link";
import { usePathname, useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useChange, useRoute } from "../../api/queries.ts";
import { paths, type ServicePlace } from "../../paths.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { OutIcon } from "../../ui/icons.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, sentence } from "../../ui/states.tsx";
import { Status, Tag } from "../../ui/status.tsx";
import { TabBar, tabClass } from "../../ui/tab-bar.tsx";
import { say } from "../../ui/toasts.tsx";
import { isUnderWay, saysService } from "../status-words.ts";

export const serviceInput = ({ project, service, environment }: ServicePlace) => ({
  params: { project, service },
  query: { environment },
});

/** What all pages of a service share: what it is, how it is, what can be done, and its rooms. */
export function ServiceFrame({ place, children }: { place: ServicePlace; children: ReactNode }) {
  const service = useRoute(getService, serviceInput(place));
  if (isFault(service.error, "not_found"))
    return (
      <Panel>
        <Empty
          title="Service not found"
          action={
            <Link href={paths.project(place)} className={buttonClass()}>
              All services of {place.project}
            </Link>
          }
        >
          {sentence(service.error)}
        </Empty>
      </Panel>
    );
  return (
    <>
      <ServiceHead place={place} service={service.data} />
      <ErrorNotice
        error={isFault(service.error, "unavailable") ? undefined : service.error}
        onRetry={() => void service.refetch()}
        className="mb-4"
      />
      <Tabs place={place} />
      {children}
    </>
  );
}

function ServiceHead({ place, service }: { place: ServicePlace; service: Service | undefined }) {
  const trouble =
    service &&
    (service.health.reason ??
      (service.health.phase === "not_deployed" ? service.latestDeployment?.reason : null));
  return (
    <div className="mb-3">
      <div className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="min-w-0 truncate text-lg leading-8 font-semibold tracking-tight">{place.service}</h1>
        {service && <Tag>{service.type}</Tag>}
        {service && <Status {...saysService(service)} />}
        <div className="ml-auto flex flex-wrap items-center gap-2">
          {service?.activeDeploymentId && <Actions place={place} service={service} />}
        </div>
      </div>
      <div className="flex min-h-5 min-w-0 flex-wrap items-center gap-x-3 text-xs text-ink-soft">
        {service?.url && service.activeDeploymentId && (
          <a
            href={service.url}
            target="_blank"
            rel="noreferrer"
            className="inline-flex min-w-0 items-center gap-1 text-accent hover:underline"
          >
            <span className="truncate">{service.url}</span>
            <OutIcon className="size-3.5" />
          </a>
        )}
        {service && service.health.desiredReplicas > 0 && service.type !== "cron" && (
          <span className="tabular-nums">
            {service.health.readyReplicas} of {service.health.desiredReplicas} ready
          </span>
        )}
        {service && service.health.restarts > 0 && (
          <span className="tabular-nums">{service.health.restarts} restarts</span>
        )}
        {service?.settings.schedule && <span className="font-mono">{service.settings.schedule} UTC</span>}
      </div>
      {service &&
        sayByHand(service.health, new Date()).map((one) => (
          <p
            key={one}
            className="mt-2 rounded-md border border-warn/40 bg-warn/5 px-3 py-2 text-[13px] break-words text-warn"
          >
            {one}
          </p>
        ))}
      {trouble && (
        <p className="mt-2 rounded-md border border-bad/40 bg-bad/5 px-3 py-2 text-[13px] break-words text-bad">
          {sentence(new Error(trouble))}
        </p>
      )}
      {service?.health.reason && service.health.lastLines && (
        <pre
          aria-label="What it said last"
          className="mt-2 overflow-x-auto rounded-md border border-line px-3 py-2 font-mono text-xs text-ink-soft"
        >
          {service.health.lastLines.join("\n")}
        </pre>
      )}
    </div>
  );
}

function Actions({ place, service }: { place: ServicePlace; service: Service }) {
  const router = useRouter();
  const restart = useChange(restartService, () =>
    say("Restarting: fresh instances take over without a dropped request."),
  );
  const redeploy = useChange(createDeployment, ({ id }) =>
    router.push(paths.deployment({ ...place, deployment: id })),
  );
  const error = restart.error ?? redeploy.error;
  return (
    <>
      {error && <ErrorNotice error={error} className="w-full" />}
      {service.type !== "cron" && (
        <Button size="small" isBusy={restart.isPending} onClick={() => restart.mutate(serviceInput(place))}>
          Restart
        </Button>
      )}
      <Button
        size="small"
        isBusy={redeploy.isPending}
        disabled={isUnderWay(service.latestDeployment)}
        onClick={() => redeploy.mutate({ ...serviceInput(place), body: {} })}
      >
        Redeploy
      </Button>
      {service.url && (
        <a href={service.url} target="_blank" rel="noreferrer" className={buttonClass("primary", "small")}>
          Open <OutIcon className="size-3.5" />
        </a>
      )}
    </>
  );
}

function Tabs({ place }: { place: ServicePlace }) {
  const pathname = usePathname();
  const tabs = [
    ["Deployments", paths.service(place)],
    ["Logs", paths.logs(place)],
    ["Variables", paths.variables(place)],
    ["Metrics", paths.metrics(place)],
    ["Settings", paths.serviceSettings(place)],
  ] as const;
  const isHere = (href: string) =>
    pathname === href || (href === tabs[0][1] && pathname.startsWith(`${href}/deployments`));
  return (
    <div className="mb-5">
      <TabBar label="Service">
        {tabs.map(([word, href]) => (
          <Link
            key={href}
            href={href}
            aria-current={isHere(href) ? "page" : undefined}
            className={tabClass(isHere(href))}
          >
            {word}
          </Link>
        ))}
      </TabBar>
    </div>
  );
}
