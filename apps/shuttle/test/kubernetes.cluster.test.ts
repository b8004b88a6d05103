import { clusterContract } from "./cluster.contract.ts";
import { openKubernetesContractRig } from "./kubernetes/contract-rig.ts";

clusterContract("Kubernetes", openKubernetesContractRig);
