"use client";
import { listAudit, type AuditEntry } from "@starform/contract/workspaces";
import { usePages } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";

/** What was done in a workspace, newest first. */
export function AuditPage({ workspace }: { workspace: string }) {
  const audit = usePages<AuditEntry>(listAudit, { params: { workspace }, query: { limit: 50 } });
  const items = audit.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <PageTitle title="Audit log" note="What was done, by whom and when. Nothing is ever taken out of it." />
      <ErrorNotice error={audit.error} onRetry={() => void audit.refetch()} className="mb-4" />
      {!audit.error && (
        <Panel>
          {audit.isPending && <Skeleton rows={8} />}
          {items?.length === 0 && <Empty title="Nothing yet" />}
          <ul className="divide-y divide-line">
            {items?.map((entry) => (
              <li
                key={entry.id}
                className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-4 px-4 py-2 sm:grid-cols-[13rem_minmax(0,1fr)_14rem_5rem]"
              >
                <span className="truncate font-mono text-xs">{entry.event}</span>
                <span
                  className="order-3 col-span-2 truncate sm:order-none sm:col-span-1"
                  title={detailOf(entry)}
                >
                  {entry.subject} <span className="text-xs text-ink-faint">{detailOf(entry)}</span>
                </span>
                <span className="order-4 col-span-2 truncate text-xs text-ink-soft sm:order-none sm:col-span-1">
                  {entry.actor}
                </span>
                <span className="text-right text-xs text-ink-faint">
                  <When at={entry.at} />
                </span>
              </li>
            ))}
          </ul>
          {audit.hasNextPage && (
            <div className="flex justify-center border-t border-line p-2">
              <Button
                size="small"
                look="quiet"
                onClick={() => void audit.fetchNextPage()}
                isBusy={audit.isFetchingNextPage}
              >
                Show older
              </Button>
            </div>
          )}
        </Panel>
      )}
    </>
  );
}

const detailOf = ({ detail }: AuditEntry): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
