import { Fault } from "@starform/std/fault";
import { nearest } from "@starform/std/nearest";

export type FlagTable = Readonly<Record<string, { readonly value?: string; readonly says: string }>>;
export type Flags = { readonly [name: string]: string | true | undefined };

export const startFlags: FlagTable = {
  detach: { says: "return when everything is ready, and keep it running" },
  json: { says: "print one JSON object instead of the table" },
  "data-dir": { value: "dir", says: "where everything is kept (default .starform)" },
  "port-base": { value: "port", says: "the first of ten ports (default 4400)" },
  runtime: {
    value: "auto|docker|process",
    says: "what runs, or on a cluster only builds, the apps (default auto)",
  },
  cluster: { value: "embedded|kubernetes", says: "where apps run: here, or on the cluster of KUBECONFIG" },
  kubeconfig: { value: "file", says: "the cluster's, in place of KUBECONFIG" },
  "registry-address": {
    value: "host:port",
    says: "this machine, as the cluster's nodes pull built images from it",
  },
  "registry-pem": {
    value: "file",
    says: "key and certificate of that address; without them it is plain HTTP",
  },
  "gateway-address": { value: "host:port", says: "the cluster's gateway, where its Gateway does not tell" },
  fresh: { says: "delete what the data directory holds and begin anew" },
  "no-system-packages": { says: "never install Debian packages" },
  watch: { says: "restart a process when its source changes" },
};

export const stopFlags: FlagTable = {
  json: { says: "print one JSON object" },
  "data-dir": { value: "dir", says: "which platform (default .starform)" },
};

/** Reads `--name`, `--name value` and `--name=value`; a Fault `invalid` names the nearest flag for an unknown one. */
export function readFlags(args: readonly string[], table: FlagTable): Flags {
  const flags: Record<string, string | true> = {};
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    const [name = "", inline] = word.replace(/^--/, "").split(/=(.*)/s);
    const flag = word.startsWith("--") && Object.hasOwn(table, name) ? table[name] : undefined;
    if (!flag) throw unknown(word, table);
    if (flag.value === undefined) {
      if (inline !== undefined) throw new Fault("invalid", `--${name} takes no value`);
      flags[name] = true;
      continue;
    }
    const value = inline ?? args[++i];
    if (!value || value.startsWith("--"))
      throw new Fault("invalid", `--${name} needs a value: --${name} <${flag.value}>`);
    flags[name] = value;
  }
  return flags;
}

function unknown(word: string, table: FlagTable): Fault {
  const near = nearest(word.replace(/^-+/, "").split("=")[0] ?? "", Object.keys(table));
  const hint = near
    ? `did you mean --${near}?`
    : `there are ${Object.keys(table)
        .map((name) => `--${name}`)
        .join(", ")}`;
  return new Fault("invalid", `${word} is not a flag of this command; ${hint}`);
}

/** The flags with a line each. */
export const sayFlags = (table: FlagTable): string =>
  Object.entries(table)
    .map(([name, { value, says }]) => `  ${`--${name}${value ? ` <${value}>` : ""}`.padEnd(34)}${says}`)
    .join("\n");
