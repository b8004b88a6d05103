import type { Command, Layer } from "./build-plan.ts";

/** A command without shell syntax. */
export const exec = (cmd: string, customName?: string): Command => ({
  cmd,
  ...(customName === undefined ? {} : { customName }),
});

/** A command that needs a shell: `&&`, redirections, variables. */
export const shell = (cmd: string, customName = cmd): Command => ({
  cmd: `sh -c ${quoted(cmd)}`,
  customName,
});

/** A file or folder of the source, to the same place in the image. */
export const copy = (src: string, dest = src): Command => ({ src, dest });

export const addPath = (path: string): Command => ({ path });

/** Writes the step's asset of that name. */
export const writeAsset = (path: string, name: string, customName?: string): Command => ({
  path,
  name,
  ...(customName === undefined ? {} : { customName }),
});

export const fromStep = (step: string, include?: string[], exclude?: string[]): Layer => ({
  step,
  ...(include ? { include } : {}),
  ...(exclude ? { exclude } : {}),
});

/** The whole source tree. */
export const fromSource = (): Layer => ({ local: true, include: ["."] });

/** One word for a shell. */
export const word = (text: string): string => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : quoted(text));

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
