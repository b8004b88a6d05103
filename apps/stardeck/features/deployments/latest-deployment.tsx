"use client";
import type { Deployment } from "@starform/contract/deployments";
import { isFinal } from "@starform/contract/states";
import Link from "next/link";
import { paths, type ServicePlace } from "../../paths.ts";
import { buttonClass } from "../../ui/button.tsx";
import { TitledPanel } from "../../ui/panel.tsx";
import { Status } from "../../ui/status.tsx";
import { LogView } from "../logs/log-view.tsx";
import { saysDeployment } from "../status-words.ts";
import { InLineNotice } from "./in-line.tsx";
import { StageList } from "./stages.tsx";

/** The deployment that is under way (or that failed and left nothing running), where it is first looked for. */
export function LatestDeployment({ deployment, place }: { deployment: Deployment; place: ServicePlace }) {
  return (
    <TitledPanel
      title={
        <span className="flex items-center gap-3">
          Deployment #{deployment.number} <Status {...saysDeployment(deployment)} />
        </span>
      }
      actions={
        <Link
          href={paths.deployment({ ...place, deployment: deployment.id })}
          className={buttonClass("plain", "small")}
        >
          Details
        </Link>
      }
    >
      <div className="flex flex-col gap-4">
        <InLineNotice deployment={deployment} />
        <StageList stages={deployment.stages} />
        {deployment.reason && <p className="text-[13px] break-words text-bad">{deployment.reason}</p>}
        <LogView
          key={deployment.id}
          place={place}
          scope={{ deployment: deployment.id }}
          isLive={!isFinal(deployment.status)}
          heightClassName="h-64"
          emptyWords="The first lines of the build come here."
        />
      </div>
    </TitledPanel>
  );
}
