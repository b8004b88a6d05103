import type { Check } from "../examination.ts";
import { readVersions } from "../parts-folder.ts";
import { minorOf } from "../preflight.ts";
import { findingsOf } from "./finding.ts";

const { ok, warning, error } = findingsOf("versions");
/** What the manifests were written for and are tested with. */
const [oldest, newest] = [31, 36];

/** The cluster's Kubernetes, and how firmly our images are pinned. */
export const checkVersions: Check = async ({ facts }) => {
  const minor = minorOf(facts.kubernetesVersion);
  const says = `Kubernetes ${facts.kubernetesVersion} on ${facts.nodes} ${facts.nodes === 1 ? "node" : "nodes"}`;
  const loose = Object.entries(readVersions()).filter(([, { digest }]) => !digest);
  return [
    minor === undefined
      ? warning(`${says}: its version is not readable`, "compare it by hand with deploy/cluster/README.md")
      : minor < oldest
        ? error(
            `${says}; 1.${oldest} is the oldest that works`,
            "upgrade the cluster, one minor version at a time",
          )
        : minor > newest
          ? warning(`${says}; 1.${newest} is the newest that was tried`, "use a newer release of Starform")
          : ok(says),
    ...(facts.nodes === 0 ? [error("the cluster has no nodes", "add a node pool")] : []),
    ...(loose.length > 0
      ? [
          warning(
            `${loose.length} images are pinned by version and not by digest (${loose.map(([name]) => name).join(", ")})`,
            "write their digests into deploy/cluster/versions.json, as its README tells",
          ),
        ]
      : []),
  ];
};
