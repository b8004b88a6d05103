"use client";
import { getMe } from "@starform/contract/identity";
import { workspaceCan } from "@starform/contract/permissions";
import Link from "next/link";
import { useRoute } from "../../api/queries.ts";
import { paths } from "../../paths.ts";
import { Menu, menuItemClass, MenuLine } from "../../ui/menu.tsx";
import { say } from "../../ui/toasts.tsx";

export function AccountMenu() {
  const me = useRoute(getMe, {});
  const email = me.data?.user.email ?? "";
  const name = me.data?.user.name || email;
  return (
    <Menu
      label="Account"
      align="right"
      triggerClassName="rounded-full"
      trigger={
        <span className="grid size-7 place-items-center rounded-full border border-line bg-raised text-xs font-semibold text-ink-soft uppercase">
          {name.charAt(0) || "·"}
        </span>
      }
    >
      <div className="px-2 py-1.5">
        <p className="truncate text-[13px] font-medium">{name}</p>
        {email !== name && <p className="truncate text-xs text-ink-soft">{email}</p>}
      </div>
      <MenuLine />
      <Item href={paths.projects()}>Projects</Item>
      <Item href={paths.tokens()}>API tokens</Item>
      {me.data?.workspaces.map(({ id, slug, name, role }) => (
        <div key={id}>
          <MenuLine />
          <p className="px-2 pt-1 text-[11px] text-ink-faint">{name}</p>
          {workspaceCan(role, "members.read") && <Item href={paths.members(slug)}>Members</Item>}
          {workspaceCan(role, "audit.read") && <Item href={paths.audit(slug)}>Audit log</Item>}
        </div>
      ))}
      <MenuLine />
      <button
        type="button"
        role="menuitem"
        tabIndex={-1}
        className={menuItemClass}
        onClick={() => void leave()}
      >
        Sign out
      </button>
    </Menu>
  );
}

const Item = ({ href, children }: { href: string; children: string }) => (
  <Link href={href} role="menuitem" tabIndex={-1} className={menuItemClass}>
    {children}
  </Link>
);

async function leave(): Promise<void> {
  const answer = await fetch("/api/session", { method: "DELETE" }).catch(() => undefined);
  if (answer?.ok) window.location.assign(paths.signIn());
  else say("Signing out did not work: the platform cannot be reached. Try again.", { isBad: true });
}
