"use client";
import { cancelDeployment, rollBackDeployment, type Deployment } from "@starform/contract/deployments";
import { deploymentCan } from "@starform/contract/states";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { paths, type ServicePlace } from "../../paths.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { shortSha } from "../../ui/format.ts";
import { MoreIcon } from "../../ui/icons.tsx";
import { Menu, menuItemClass } from "../../ui/menu.tsx";
import { Status } from "../../ui/status.tsx";
import { Took, When } from "../../ui/time.tsx";
import { saysDeployment, triggerWords } from "../status-words.ts";
import { StageBar } from "./stages.tsx";

type DeploymentRowProps = { deployment: Deployment; place: ServicePlace; onCompare?: () => void };

export function DeploymentRow({ deployment, place, onCompare }: DeploymentRowProps) {
  const { number, commit, reason, createdAt, endedAt, createdBy, trigger } = deployment;
  const href = paths.deployment({ ...place, deployment: deployment.id });
  return (
    <li className="relative grid grid-cols-[minmax(0,1fr)_auto] items-start gap-x-3 px-4 py-3 hover:bg-raised/60">
      <div className="grid min-w-0 gap-x-4 gap-y-1 md:grid-cols-[7rem_minmax(0,1fr)_11rem]">
        <div className="flex items-center gap-3 md:flex-col md:items-start md:gap-0.5">
          <Link href={href} className="font-medium tabular-nums after:absolute after:inset-0">
            #{number}
          </Link>
          <Status {...saysDeployment(deployment)} />
        </div>
        <div className="min-w-0">
          <p className="truncate">{commit ? commit.message.split("\n")[0] : titleOf(deployment)}</p>
          <p className="truncate text-xs text-ink-soft">
            {commit && <span className="mr-2 font-mono">{shortSha(commit.sha)}</span>}
            {triggerWords[trigger]} by {createdBy}
          </p>
          {reason && (
            <p
              className={`mt-1 text-xs break-words ${deployment.status === "failed" ? "text-bad" : "text-ink-soft"}`}
            >
              {reason}
            </p>
          )}
        </div>
        <div className="flex items-center gap-3 text-xs text-ink-soft md:flex-col md:items-end md:gap-1">
          <span>
            <When at={createdAt} /> · <Took from={createdAt} to={endedAt} />
          </span>
          <StageBar stages={deployment.stages} />
        </div>
      </div>
      <DeploymentMenu deployment={deployment} place={place} {...(onCompare ? { onCompare } : {})} />
    </li>
  );
}

/** What there is to say of a deployment that came without a commit. */
export const titleOf = ({ trigger, image }: Pick<Deployment, "trigger" | "image">): string => {
  if (trigger === "up") return "A folder sent by starform up";
  if (trigger === "rollback") return "An earlier deployment again";
  if (trigger === "variables") return "The same image with changed variables";
  if (trigger === "settings") return "The same image with changed settings";
  if (trigger === "redeploy") return "What was deployed last, again";
  return image && !image.startsWith("starform.local/") ? image : "Deployed through the API";
};

function DeploymentMenu({ deployment, place, onCompare }: DeploymentRowProps) {
  const router = useRouter();
  const [asks, setAsks] = useState<"roll back" | "cancel">();
  const close = () => setAsks(undefined);
  const rollBack = useChange(
    rollBackDeployment,
    ({ id }) => (close(), router.push(paths.deployment({ ...place, deployment: id }))),
  );
  const cancel = useChange(cancelDeployment, close);
  const canRollBack = deploymentCan("roll_back_to", deployment) && !deployment.isActive;
  const params = { deployment: deployment.id };
  return (
    <div className="relative z-10">
      <Menu
        label={`Actions of deployment #${deployment.number}`}
        align="right"
        triggerClassName="size-7 justify-center text-ink-soft"
        trigger={<MoreIcon />}
      >
        <Link
          href={paths.deployment({ ...place, deployment: deployment.id })}
          role="menuitem"
          tabIndex={-1}
          className={menuItemClass}
        >
          Open
        </Link>
        {canRollBack && (
          <button
            type="button"
            role="menuitem"
            tabIndex={-1}
            className={menuItemClass}
            onClick={() => setAsks("roll back")}
          >
            Roll back to this
          </button>
        )}
        {onCompare && (
          <button type="button" role="menuitem" tabIndex={-1} className={menuItemClass} onClick={onCompare}>
            Compare with what is live
          </button>
        )}
        {deploymentCan("cancel", deployment) && (
          <button
            type="button"
            role="menuitem"
            tabIndex={-1}
            className={`${menuItemClass} text-bad`}
            onClick={() => setAsks("cancel")}
          >
            Cancel
          </button>
        )}
      </Menu>
      {asks === "roll back" && (
        <Confirm
          title={`Roll back to #${deployment.number}`}
          action="Roll back"
          isBusy={rollBack.isPending}
          error={rollBack.error}
          onConfirm={() => rollBack.mutate({ params })}
          onClose={close}
        >
          The image, the settings and the variables of #{deployment.number} run again, as they were. Nothing
          is built, and no request is dropped.
        </Confirm>
      )}
      {asks === "cancel" && (
        <Confirm
          title={`Cancel #${deployment.number}`}
          action="Cancel the deployment"
          isDangerous
          isBusy={cancel.isPending}
          error={cancel.error}
          onConfirm={() => cancel.mutate({ params })}
          onClose={close}
        >
          It stops where it is. What ran before keeps running.
        </Confirm>
      )}
    </div>
  );
}
