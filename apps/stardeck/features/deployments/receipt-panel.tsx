"use client";
import { getReceipt } from "@starform/contract/deployments";
import { isFault } from "@starform/std/fault";
import type { ReactNode } from "react";
import { useRoute } from "../../api/queries.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { TitledPanel } from "../../ui/panel.tsx";
import { ErrorNotice, Skeleton } from "../../ui/states.tsx";

/** What the deployment was made of, written once. */
export function ReceiptPanel({ id }: { id: string }) {
  const receipt = useRoute(getReceipt, { params: { deployment: id } });
  // A deployment that never got an image has none.
  if (isFault(receipt.error, "not_found")) return null;
  const { data } = receipt;
  return (
    <TitledPanel title="Receipt" note="What it is made of. Rolling back applies exactly this again." isFlush>
      <ErrorNotice error={receipt.error} className="m-4" />
      {receipt.isPending && <Skeleton rows={4} rowClassName="h-9" />}
      {data && (
        <dl className="divide-y divide-line">
          {data.commit && <Line name="commit" value={data.commit.sha} />}
          {data.imageDigest && <Line name="image" value={data.imageDigest} />}
          {Object.entries(data.config).map(([name, value]) => (
            <Line key={name} name={name} value={typeof value === "string" ? value : JSON.stringify(value)} />
          ))}
          {Object.entries(data.variables).map(([name, digest]) => (
            <Line
              key={name}
              name={<span title="a variable, by the digest of its value">{name}</span>}
              value={digest}
            />
          ))}
          <Line name="receipt" value={data.digest} />
        </dl>
      )}
    </TitledPanel>
  );
}

const Line = ({ name, value }: { name: ReactNode; value: string }) => (
  <div className="grid grid-cols-[7rem_minmax(0,1fr)_auto] items-center gap-2 px-4 py-0.5 sm:grid-cols-[10rem_minmax(0,1fr)_auto]">
    <dt className="truncate text-xs text-ink-soft">{name}</dt>
    <dd className="truncate font-mono text-xs" title={value}>
      {value}
    </dd>
    <CopyButton text={value} what="value" />
  </div>
);
