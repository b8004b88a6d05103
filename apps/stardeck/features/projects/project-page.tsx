"use client";
import { getProject } from "@starform/contract/projects";
import { listServices, type Service } from "@starform/contract/services";
import Link from "next/link";
import { useState } from "react";
import { useList, useRoute } from "../../api/queries.ts";
import { paths, type ProjectPlace } from "../../paths.ts";
import { buttonClass } from "../../ui/button.tsx";
import { PlusIcon } from "../../ui/icons.tsx";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { Status, Tag } from "../../ui/status.tsx";
import { FirstService } from "../first-run/first-service.tsx";
import { useProposalInAddress } from "../services/proposal-in-address.ts";
import { saysService } from "../status-words.ts";
import { ProjectTabs } from "./project-frame.tsx";

export function ProjectPage({ place }: { place: ProjectPlace }) {
  const project = useRoute(getProject, { params: { project: place.project } });
  const services = useList(listServices, {
    params: { project: place.project },
    query: { environment: place.environment },
  });
  const items = services.data;
  const asked = useProposalInAddress();
  const [isChoosing, setChoosing] = useState(asked.id !== undefined);
  if (items?.length === 0 || isChoosing) return <FirstService place={place} onChoosing={setChoosing} />;
  return (
    <>
      <ProjectTabs place={place} />
      <PageTitle
        title={project.data?.name ?? place.project}
        actions={
          <Link href={paths.newService(place)} className={buttonClass("primary")}>
            <PlusIcon /> New service
          </Link>
        }
      />
      <ErrorNotice error={services.error} onRetry={() => void services.refetch()} className="mb-4" />
      {(services.isPending || items) && (
        <Panel>
          {services.isPending ? (
            <Skeleton rows={3} rowClassName="h-16" />
          ) : (
            <ul className="divide-y divide-line">
              {items?.map((service) => (
                <ServiceRow key={service.id} service={service} place={place} />
              ))}
            </ul>
          )}
        </Panel>
      )}
    </>
  );
}

function ServiceRow({ service, place }: { service: Service; place: ProjectPlace }) {
  const { health, latestDeployment } = service;
  const reason = health.reason ?? (latestDeployment?.status === "failed" ? latestDeployment.reason : null);
  return (
    <li className="relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-3 hover:bg-raised/60">
      <div className="min-w-0">
        <div className="flex min-w-0 items-center gap-2">
          <Link
            href={paths.service({ ...place, service: service.name })}
            className="truncate font-medium after:absolute after:inset-0"
          >
            {service.name}
          </Link>
          <Tag>{service.type}</Tag>
        </div>
        {service.url && health.phase !== "not_deployed" ? (
          <a
            href={service.url}
            target="_blank"
            rel="noreferrer"
            className="relative z-10 inline-block max-w-full truncate align-bottom text-xs text-ink-soft hover:text-accent hover:underline"
          >
            {service.url.replace(/^https?:\/\//, "")}
          </a>
        ) : (
          <p className="truncate text-xs text-ink-faint">
            {service.settings.schedule ?? sourceWords(service)}
          </p>
        )}
      </div>
      <div className="flex flex-col items-end gap-1">
        <Status {...saysService(service)} />
        <span className="text-xs text-ink-faint tabular-nums">
          {health.desiredReplicas > 0 && service.type !== "cron"
            ? `${health.readyReplicas} of ${health.desiredReplicas} ready`
            : " "}
        </span>
      </div>
      {reason && <p className="col-span-2 text-xs break-words text-bad">{reason}</p>}
    </li>
  );
}

export const sourceWords = ({ source }: Pick<Service, "source">): string =>
  source.kind === "push" ? "Waits for a first push" : source.kind === "git" ? source.url : source.image;
