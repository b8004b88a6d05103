"use client";
import { listDeployments, type Deployment } from "@starform/contract/deployments";
import { getService } from "@starform/contract/services";
import { useState } from "react";
import { usePages, useRoute } from "../../api/queries.ts";
import type { ServicePlace } from "../../paths.ts";
import { Button } from "../../ui/button.tsx";
import { TitledPanel } from "../../ui/panel.tsx";
import { ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { FirstRun } from "../first-run/first-run.tsx";
import { LiveNotice } from "../first-run/live-notice.tsx";
import { serviceInput } from "../services/service-frame.tsx";
import { isUnderWay } from "../status-words.ts";
import { CronRuns } from "./cron-runs.tsx";
import { DeploymentRow } from "./deployment-row.tsx";
import { DiffDialog } from "./diff-dialog.tsx";
import { LatestDeployment } from "./latest-deployment.tsx";

/** What was deployed, newest first; before the first deployment, how to get to one. */
export function DeploymentsPage({ place }: { place: ServicePlace }) {
  const service = useRoute(getService, serviceInput(place));
  const deployments = usePages<Deployment>(listDeployments, {
    params: serviceInput(place).params,
    query: { environment: place.environment, limit: 20 },
  });
  const [compared, setCompared] = useState<Deployment>();
  const items = deployments.data?.pages.flatMap((page) => page.items);
  const active = items?.find(({ isActive }) => isActive);
  const latest = items?.[0];
  if (items?.length === 0 && service.data) return <FirstRun service={service.data} place={place} />;
  return (
    <div className="flex flex-col gap-5">
      <ErrorNotice error={deployments.error} onRetry={() => void deployments.refetch()} />
      {latest && service.data && (isUnderWay(latest) || (!active && latest.status === "failed")) && (
        <LatestDeployment deployment={latest} place={place} />
      )}
      {service.data && items?.length === 1 && active && isFresh(active) && (
        <LiveNotice service={service.data} place={place} />
      )}
      {service.data?.type === "cron" && <CronRuns place={place} />}
      {!deployments.error && (
        <TitledPanel title="Deployments" isFlush>
          {items ? (
            <ul className="divide-y divide-line">
              {items.map((deployment) => (
                <DeploymentRow
                  key={deployment.id}
                  deployment={deployment}
                  place={place}
                  {...(active && active.id !== deployment.id
                    ? { onCompare: () => setCompared(deployment) }
                    : {})}
                />
              ))}
            </ul>
          ) : (
            <Skeleton rows={5} rowClassName="h-16" />
          )}
          {deployments.hasNextPage && (
            <div className="flex justify-center border-t border-line p-2">
              <Button
                size="small"
                look="quiet"
                onClick={() => void deployments.fetchNextPage()}
                isBusy={deployments.isFetchingNextPage}
              >
                Show older
              </Button>
            </div>
          )}
        </TitledPanel>
      )}
      {compared && active && (
        <DiffDialog from={active} to={compared} onClose={() => setCompared(undefined)} />
      )}
    </div>
  );
}

/** For an hour it is news. */
const isFresh = ({ createdAt }: Deployment): boolean => Date.now() - Date.parse(createdAt) < 3_600_000;
