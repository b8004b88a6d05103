import { readFileSync } from "node:fs";
import type { Step } from "../build-plan.ts";
import { word, writeAsset } from "../commands.ts";

const asset = "starform-serve.mjs";
const path = ".starform/serve.mjs";

/** Lets the step write the static file server into the app. The image then needs Node and nothing else. */
export function carryStaticServer(step: Step): void {
  step.assets[asset] = readFileSync(new URL("serve.mjs", import.meta.url), "utf8");
  step.commands.push(writeAsset(path, asset, "add the static file server"));
}

/** The folder in the app that the server was written to. */
export const staticServerFolder = ".starform";

/** Whether a start command is the static file server's and nothing else; it writes nothing. */
export const isServeCommand = (command: string): boolean =>
  /^node \.starform\/serve\.mjs [\w./-]+( --spa)?$/.test(command);

/** Starts it. With `spa`, paths that no file answers get index.html, as client-side routers need. */
export const serveCommand = (directory: string, options: { spa: boolean }): string =>
  `node ${path} ${word(directory)}${options.spa ? " --spa" : ""}`;
