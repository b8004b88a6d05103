"use client";
import {
  cancelDeployment,
  getDeployment,
  listDeployments,
  rollBackDeployment,
  type Deployment,
} from "@starform/contract/deployments";
import { deploymentCan, isFinal } from "@starform/contract/states";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useChange, useRoute } from "../../api/queries.ts";
import { paths, type ServicePlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { shortSha } from "../../ui/format.ts";
import { Panel, TitledPanel } from "../../ui/panel.tsx";
import { ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { Took, When } from "../../ui/time.tsx";
import { LogView } from "../logs/log-view.tsx";
import { saysDeployment, triggerWords } from "../status-words.ts";
import { BuildPanel } from "./build-panel.tsx";
import { titleOf } from "./deployment-row.tsx";
import { DiffDialog } from "./diff-dialog.tsx";
import { InLineNotice } from "./in-line.tsx";
import { ReceiptPanel } from "./receipt-panel.tsx";
import { StageList } from "./stages.tsx";

/** One deployment: how far it is, what its build says, what it is made of. */
export function DeploymentPage({ place, id }: { place: ServicePlace; id: string }) {
  const deployment = useRoute(getDeployment, { params: { deployment: id } });
  if (deployment.isPending)
    return (
      <Panel>
        <Skeleton rows={6} />
      </Panel>
    );
  if (!deployment.data)
    return <ErrorNotice error={deployment.error} onRetry={() => void deployment.refetch()} />;
  const { data } = deployment;
  const isOver = isFinal(data.status);
  return (
    <div className="flex flex-col gap-5">
      <Head deployment={data} place={place} />
      <InLineNotice deployment={data} />
      <StageList stages={data.stages} />
      {data.buildId ? (
        <TitledPanel title="Build and start-up log" isFlush>
          <LogView
            key={`${data.id}${isOver}`}
            place={place}
            scope={{ deployment: data.id }}
            isLive={!isOver}
            heightClassName="h-96"
            isBare
            emptyWords={isOver ? "It left no lines." : "Its first lines come here."}
          />
        </TitledPanel>
      ) : (
        <p className="text-[13px] text-ink-soft">Nothing was built for this deployment.</p>
      )}
      {data.buildId && !["pending", "building"].includes(data.status) && <BuildPanel id={data.buildId} />}
      {isOver && <ReceiptPanel id={data.id} />}
    </div>
  );
}

function Head({ deployment, place }: { deployment: Deployment; place: ServicePlace }) {
  const { number, commit, reason, createdAt, endedAt, createdBy, trigger, status } = deployment;
  return (
    <div className="flex flex-wrap items-start justify-between gap-3">
      <div className="min-w-0">
        <h2 className="flex flex-wrap items-center gap-x-3 text-base font-semibold tracking-tight">
          Deployment #{number} <Status {...saysDeployment(deployment)} />
        </h2>
        <p className="break-words">{commit ? commit.message.split("\n")[0] : titleOf(deployment)}</p>
        <p className="text-xs text-ink-soft">
          {commit && (
            <span className="mr-2 font-mono" title={commit.sha}>
              {shortSha(commit.sha)} {commit.ref.replace(/^refs\/heads\//, "")}
            </span>
          )}
          {triggerWords[trigger]} by {createdBy} · <When at={createdAt} /> ·{" "}
          <Took from={createdAt} to={endedAt} />
        </p>
        {reason && (
          <p className={`mt-2 text-[13px] break-words ${status === "failed" ? "text-bad" : "text-ink-soft"}`}>
            {reason}
          </p>
        )}
      </div>
      <Actions deployment={deployment} place={place} />
    </div>
  );
}

function Actions({ deployment, place }: { deployment: Deployment; place: ServicePlace }) {
  const router = useRouter();
  const [isComparing, setComparing] = useState(false);
  const others = useRoute(listDeployments, {
    params: { project: place.project, service: place.service },
    query: { environment: place.environment, limit: 20 },
  });
  const other = others.data?.items.find(
    ({ number, status }) => number < deployment.number && status === "deployed",
  );
  const cancel = useChange(cancelDeployment);
  const rollBack = useChange(rollBackDeployment, ({ id }) =>
    router.push(paths.deployment({ ...place, deployment: id })),
  );
  const params = { deployment: deployment.id };
  return (
    <div className="flex flex-wrap gap-2">
      <ErrorNotice error={cancel.error ?? rollBack.error} className="w-full" />
      {other && isFinal(deployment.status) && (
        <Button size="small" onClick={() => setComparing(true)}>
          Changes since #{other.number}
        </Button>
      )}
      {deploymentCan("cancel", deployment) && (
        <Button
          size="small"
          look="danger"
          isBusy={cancel.isPending}
          onClick={() => cancel.mutate({ params })}
        >
          Cancel
        </Button>
      )}
      {deploymentCan("roll_back_to", deployment) && !deployment.isActive && (
        <Button
          size="small"
          look="primary"
          isBusy={rollBack.isPending}
          onClick={() => rollBack.mutate({ params })}
        >
          Roll back to this
        </Button>
      )}
      {isComparing && other && (
        <DiffDialog from={other} to={deployment} onClose={() => setComparing(false)} />
      )}
    </div>
  );
}
