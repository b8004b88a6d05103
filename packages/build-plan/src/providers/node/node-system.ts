import { needPackages, type PlanDraft } from "../../plan-draft.ts";
import { chromium } from "../chromium.ts";
import type { NodeApp } from "./node-app.ts";

const puppeteer = [
  ...chromium,
  "ca-certificates",
  "fonts-liberation",
  "libexpat1",
  "libfontconfig1",
  "libgtk-3-0",
  "libx11-xcb1",
  "libxcursor1",
].concat(["libxi6", "libxss1", "libxtst6", "wget", "xdg-utils", "xvfb"]);

/** Debian packages that npm packages need when they run, and do not bring. */
const needs: Record<string, string[]> = {
  puppeteer,
  prisma: ["openssl"],
  "@prisma/client": ["openssl"],
  canvas: ["libcairo2", "libpango-1.0-0", "libpangocairo-1.0-0", "libjpeg62-turbo", "libgif7", "librsvg2-2"],
  "fluent-ffmpeg": ["ffmpeg"],
};

/** What sharp needs beyond its own binaries is fonts, and only where it draws text. */
const needsFonts = ["sharp", "@resvg/resvg-js"];

export function addNodeSystemPackages(draft: PlanDraft, { workspace }: NodeApp): void {
  for (const [name, packages] of Object.entries(needs)) {
    if (!workspace.runsOn(name)) continue;
    needPackages(
      draft,
      "run time",
      packages,
      `because ${name} needs ${packages.length > 1 ? "them" : "it"} at run time`,
    );
  }
  const fonts = needsFonts.find((name) => workspace.runsOn(name));
  if (fonts)
    needPackages(
      draft,
      "run time",
      ["fontconfig", "fonts-dejavu-core"],
      `because ${fonts} draws text with the system's fonts`,
    );
  if (draft.variables.isOn("NODE_PLAYWRIGHT_INSTALL"))
    needPackages(
      draft,
      "run time",
      chromium,
      "because RAILPACK_NODE_PLAYWRIGHT_INSTALL is set and Chromium needs them",
    );
}

/** Debian packages that Node and its package manager themselves need, wherever they are installed. */
export function addToolPackages(draft: PlanDraft, { manager }: NodeApp): void {
  if (manager.name === "yarn1")
    needPackages(draft, "build", ["gpg", "tar"], "because yarn 1 is unpacked and checked with them");
  if (Number(draft.versions["node"]?.version.split(".")[0] ?? 0) >= 25)
    needPackages(
      draft,
      "run time",
      ["libatomic1"],
      "because Node from version 25 on is linked against it, and slim images lack it",
    );
}
