"use client";
import Link from "next/link";
import type { ReactNode } from "react";
import { ApiProvider } from "../../api/provider.tsx";
import { paths } from "../../paths.ts";
import { StarMark } from "../../ui/icons.tsx";
import { Toasts } from "../../ui/toasts.tsx";
import { AccountMenu } from "./account-menu.tsx";
import { Crumbs } from "./crumbs.tsx";
import { InstallationProvider, type Installation } from "./installation.tsx";

/** The frame around every page of a signed-in person. */
export function Shell({ installation, children }: { installation: Installation; children: ReactNode }) {
  return (
    <ApiProvider>
      <InstallationProvider value={installation}>
        <a
          href="#content"
          className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:bg-surface focus:px-3 focus:py-2"
        >
          Skip to the content
        </a>
        <header className="sticky top-0 z-20 border-b border-line bg-surface">
          <div className="mx-auto flex h-12 max-w-6xl items-center gap-2 px-4">
            <Link
              href={paths.projects()}
              aria-label="Starform: all projects"
              className="-ml-1 grid size-8 shrink-0 place-items-center rounded-md text-accent hover:bg-raised"
            >
              <StarMark />
            </Link>
            <Crumbs />
            <div className="ml-auto shrink-0">
              <AccountMenu />
            </div>
          </div>
        </header>
        <main id="content" className="mx-auto w-full max-w-6xl min-w-0 px-4 pt-5 pb-16">
          {children}
        </main>
        <Toasts />
      </InstallationProvider>
    </ApiProvider>
  );
}
