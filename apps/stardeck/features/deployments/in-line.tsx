"use client";
import { getDeployment, type Deployment } from "@starform/contract/deployments";
import { useRoute } from "../../api/queries.ts";
import { sayEstimate, sayInLine } from "./outlook-words.ts";

/** Where a deployment stands in line, kept up to date, and what its build usually takes. */
export function InLineNotice({ deployment }: { deployment: Deployment }) {
  return deployment.status === "pending" ? (
    <Waiting id={deployment.id} />
  ) : (
    <Outlook deployment={deployment} />
  );
}

/** Others who come and go in the line are no change of the project, so it is asked for while it is looked at. */
function Waiting({ id }: { id: string }) {
  const { data } = useRoute(getDeployment, { params: { deployment: id } }, { everyMs: 2_000 });
  return data ? <Outlook deployment={data} /> : null;
}

function Outlook({ deployment }: { deployment: Deployment }) {
  const [place, usual] = [sayInLine(deployment.inLine), sayEstimate(deployment.estimate)];
  if (!place && !usual) return null;
  return (
    <p role="status" className="text-[13px] text-ink-soft">
      {place && <span className="font-medium text-ink">{place}</span>}
      {place && usual && " · "}
      {usual}
    </p>
  );
}
