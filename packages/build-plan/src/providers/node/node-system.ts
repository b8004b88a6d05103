import { decide, type PlanDraft } from "../../plan-draft.ts";
import type { NodeApp } from "./node-app.ts";

const chromium = [
  "libasound2",
  "libatk-bridge2.0-0",
  "libatk1.0-0",
  "libatspi2.0-0",
  "libcairo2",
  "libcups2",
  "libdbus-1-3",
  "libdrm2",
  "libgbm1",
].concat(
  [
    "libglib2.0-0",
    "libnspr4",
    "libnss3",
    "libpango-1.0-0",
    "libx11-6",
    "libxcb1",
    "libxcomposite1",
    "libxdamage1",
    "libxext6",
    "libxfixes3",
  ],
  ["libxkbcommon0", "libxrandr2"],
);
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

export function addNodeSystemPackages(draft: PlanDraft, { workspace, manager }: NodeApp): void {
  for (const [name, packages] of Object.entries(needs)) {
    if (!workspace.runsOn(name)) continue;
    for (const one of packages) draft.runtimeAptPackages.add(one);
    decide(
      draft,
      `install ${packages.length > 4 ? "Chromium's libraries" : packages.join(", ")}`,
      `because ${name} needs it at run time`,
    );
  }
  const fonts = needsFonts.find((name) => workspace.runsOn(name));
  if (fonts) {
    for (const one of ["fontconfig", "fonts-dejavu-core"]) draft.runtimeAptPackages.add(one);
    decide(
      draft,
      "install fontconfig, fonts-dejavu-core",
      `because ${fonts} draws text with the system's fonts`,
    );
  }
  if (draft.variables.isOn("NODE_PLAYWRIGHT_INSTALL"))
    for (const one of chromium) draft.runtimeAptPackages.add(one);
  if (manager.name === "yarn1") for (const one of ["gpg", "tar"]) draft.buildAptPackages.add(one);
  // From Node 25 on the binary is linked against it, and slim images lack it.
  if (Number(draft.versions["node"]?.version.split(".")[0] ?? 0) >= 25)
    draft.runtimeAptPackages.add("libatomic1");
}
