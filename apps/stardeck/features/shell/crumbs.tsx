"use client";
import { listEnvironments } from "@starform/contract/projects";
import Link from "next/link";
import { useParams, usePathname } from "next/navigation";
import { useList } from "../../api/queries.ts";
import { paths, type ProjectPlace } from "../../paths.ts";
import { CheckIcon, ChevronIcon } from "../../ui/icons.tsx";
import { Menu, menuItemClass, MenuLine } from "../../ui/menu.tsx";

const names: Record<string, string> = { "/": "Projects", "/new": "New project", "/tokens": "API tokens" };
const linkClass = "min-w-0 truncate rounded-md px-1.5 py-1 text-[13px] hover:bg-raised";

/** Where one is: project, environment, service. */
export function Crumbs() {
  const { project, environment, service } = useParams<Record<string, string>>();
  const pathname = usePathname();
  if (!project || !environment) {
    const word =
      names[pathname] ??
      (pathname.endsWith("/audit") ? "Audit log" : pathname.endsWith("/members") ? "Members" : "");
    return <span className="truncate text-[13px] font-medium">{word}</span>;
  }
  const place = { project: decodeURIComponent(project), environment: decodeURIComponent(environment) };
  return (
    <nav aria-label="Where you are" className="flex min-w-0 items-center gap-0.5">
      <Link href={paths.project(place)} className={`${linkClass} font-medium`}>
        {place.project}
      </Link>
      <Slash />
      <EnvironmentSwitcher place={place} service={service ? decodeURIComponent(service) : undefined} />
      {service && (
        <>
          <Slash />
          <Link
            href={paths.service({ ...place, service: decodeURIComponent(service) })}
            className={`${linkClass} font-medium`}
          >
            {decodeURIComponent(service)}
          </Link>
        </>
      )}
    </nav>
  );
}

const Slash = () => (
  <span aria-hidden className="text-line-strong select-none">
    /
  </span>
);

/** The same page in another environment. */
function EnvironmentSwitcher({ place, service }: { place: ProjectPlace; service: string | undefined }) {
  const environments = useList(listEnvironments, { params: { project: place.project } });
  const pathname = usePathname();
  const here = paths.project(place);
  const rest =
    pathname.startsWith(here) && !pathname.includes("/deployments/") ? pathname.slice(here.length) : "";
  const there = (environment: string) =>
    rest || !service
      ? paths.project({ ...place, environment }) + rest
      : paths.service({ ...place, environment, service });
  return (
    <Menu
      label={`Environment: ${place.environment}`}
      triggerClassName={linkClass}
      trigger={
        <>
          <span className="truncate text-ink-soft">{place.environment}</span>
          <ChevronIcon className="size-3.5 text-ink-faint" />
        </>
      }
    >
      {(environments.data ?? []).map(({ name, isProtected }) => (
        <Link
          key={name}
          href={there(name)}
          role="menuitemradio"
          aria-checked={name === place.environment}
          tabIndex={-1}
          className={menuItemClass}
        >
          <CheckIcon className={`size-4 ${name === place.environment ? "" : "invisible"}`} />
          <span className="truncate">{name}</span>
          {isProtected && <span className="ml-auto text-xs text-ink-faint">protected</span>}
        </Link>
      ))}
      <MenuLine />
      <Link href={paths.projectSettings(place)} role="menuitem" tabIndex={-1} className={menuItemClass}>
        Manage environments
      </Link>
    </Menu>
  );
}
