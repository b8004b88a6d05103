import type { PlanDraft } from "../../plan-draft.ts";
import { chooseVersion } from "../../tool-version.ts";
import { pickLine } from "../../version-range.ts";

const defaultElixir = "1.18";
const lines = [defaultElixir, "1.19", "1.20", "1.17", "1.16", "1.15", "1.14", "1.13", "1.12", "1.11", "1.10"];

/** The newest Erlang/OTP that each line of Elixir runs on. */
const erlangOf: Record<string, string> = {
  "1.10": "23",
  "1.11": "24",
  "1.12": "24",
  "1.13": "25",
  "1.14": "26",
  "1.15": "26",
  "1.16": "26",
  "1.17": "27",
  "1.18": "27",
  "1.19": "28",
  "1.20": "29",
};

export function chooseElixir(draft: PlanDraft): void {
  const said = /\belixir:\s*"([^"\n]{1,60})"/.exec(draft.tree.read("mix.exs") ?? "")?.[1];
  const nothing = "nothing in the source names a version";
  const version = chooseVersion(draft, {
    tool: "elixir",
    label: "Elixir",
    variable: "ELIXIR_VERSION",
    files: [".elixir-version", ".exenv-version"],
    manifest: [said ? { version: said, reason: `mix.exs says elixir: "${said}"` } : undefined],
    fallback: { version: defaultElixir, reason: nothing },
    resolve: (wanted) =>
      wanted.includes("-otp-")
        ? wanted.trim()
        : pickLine(wanted.replace(/\s+and\s+/g, " ").replace(/\s+or\s+/g, " || "), lines),
  });
  const named = /-otp-(\d+)/.exec(version)?.[1];
  const line = version.split(/[.-]/).slice(0, 2).join(".");
  chooseVersion(draft, {
    tool: "erlang",
    label: "Erlang",
    variable: "ERLANG_VERSION",
    files: [".erlang-version"],
    fallback: { version: named ?? erlangOf[line] ?? "27", reason: `Elixir ${version} runs on it` },
  });
}
