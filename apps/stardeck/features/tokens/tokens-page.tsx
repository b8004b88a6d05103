"use client";
import { deleteToken, listTokens, type ApiToken } from "@starform/contract/identity";
import { useState } from "react";
import { useChange, useList } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { PlusIcon } from "../../ui/icons.tsx";
import { PageTitle, Panel } from "../../ui/panel.tsx";
import { Empty, ErrorNotice, Skeleton } from "../../ui/states.tsx";
import { Tag } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { NewTokenDialog } from "./new-token-dialog.tsx";

/** The API tokens of the person: for the CLI, for git push, for programs. */
export function TokensPage() {
  const tokens = useList(listTokens, {});
  const [isCreating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken>();
  const revoke = useChange(deleteToken, () => setRevoking(undefined));
  const items = tokens.data;
  const create = (
    <Button look="primary" onClick={() => setCreating(true)}>
      <PlusIcon /> New token
    </Button>
  );
  return (
    <>
      <PageTitle
        title="API tokens"
        note="For the CLI, for git push and for programs that call the API in your name."
        actions={items && items.length > 0 && create}
      />
      <ErrorNotice error={tokens.error} onRetry={() => void tokens.refetch()} className="mb-4" />
      {!tokens.error && (
        <Panel>
          {tokens.isPending && <Skeleton rows={3} rowClassName="h-14" />}
          {items?.length === 0 && (
            <Empty title="No tokens" action={create}>
              A token opens the API as you do, or less if you say so. It is shown once and can be revoked at
              any time.
            </Empty>
          )}
          <ul className="divide-y divide-line">
            {items?.map((token) => (
              <li key={token.id} className="flex min-h-14 items-center gap-3 px-4 py-2">
                <div className="min-w-0 flex-1">
                  <p className="flex min-w-0 items-center gap-2">
                    <span className="truncate font-medium">{token.name}</span>
                    {token.scope === "read" && <Tag>read only</Tag>}
                    {token.projectId && <Tag>one project</Tag>}
                  </p>
                  <p className="text-xs text-ink-soft">
                    <span className="font-mono">{token.prefix}…</span> · made <When at={token.createdAt} /> ·{" "}
                    {token.lastUsedAt ? (
                      <>
                        used <When at={token.lastUsedAt} />
                      </>
                    ) : (
                      "never used"
                    )}
                    {token.expiresAt && (
                      <>
                        {" "}
                        · expires <When at={token.expiresAt} />
                      </>
                    )}
                  </p>
                </div>
                <Button size="small" onClick={() => setRevoking(token)}>
                  Revoke
                </Button>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {isCreating && <NewTokenDialog onClose={() => setCreating(false)} />}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}`}
          action="Revoke"
          isDangerous
          isBusy={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate({ params: { token: revoking.id } })}
          onClose={() => setRevoking(undefined)}
        >
          Whatever uses it is refused from now on.
        </Confirm>
      )}
    </>
  );
}
