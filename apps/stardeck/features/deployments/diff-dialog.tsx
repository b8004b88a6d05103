"use client";
import { diffDeployments, type Deployment } from "@starform/contract/deployments";
import { useRoute } from "../../api/queries.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { Empty, ErrorNotice, Skeleton } from "../../ui/states.tsx";

const looks = {
  added: { word: "added", ink: "text-good" },
  removed: { word: "removed", ink: "text-bad" },
  changed: { word: "changed", ink: "text-warn" },
};

type DiffDialogProps = {
  from: Pick<Deployment, "id" | "number">;
  to: Pick<Deployment, "id" | "number">;
  onClose(): void;
};

/** What differs between two deployments; secrets by digest only. */
export function DiffDialog({ from, to, onClose }: DiffDialogProps) {
  const diff = useRoute(diffDeployments, { params: { deployment: from.id, other: to.id } });
  return (
    <Dialog title={`From #${from.number} to #${to.number}`} onClose={onClose} isWide>
      <ErrorNotice error={diff.error} />
      {diff.isPending && <Skeleton rows={4} />}
      {diff.data?.changes.length === 0 && (
        <Empty title="No difference">Both have the same commit, image, settings and variables.</Empty>
      )}
      <ul className="flex flex-col gap-3">
        {diff.data?.changes.map(({ path, kind, before, after }) => (
          <li key={path} className="rounded-md border border-line">
            <p className="flex justify-between gap-3 border-b border-line px-3 py-1.5 text-xs">
              <span className="font-mono break-all">{path}</span>
              <span className={looks[kind].ink}>{looks[kind].word}</span>
            </p>
            <div className="flex flex-col px-3 py-1.5 font-mono text-xs break-all">
              {before !== null && <p className="text-bad">− {before}</p>}
              {after !== null && <p className="text-good">+ {after}</p>}
            </div>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
