import type { KubeObject } from "@starform/kubernetes/kube-api";
import { bytesOf, millisOf } from "./amounts.ts";

/** What a node lets pods have. */
export type NodeView = {
  readonly isReady: boolean;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
};

export function nodeView(object: KubeObject): NodeView {
  const { status } = object as unknown as {
    status?: {
      allocatable?: Readonly<Record<string, unknown>>;
      conditions?: readonly { type?: string; status?: string }[];
    };
  };
  return {
    isReady: status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    cpuMillis: millisOf(status?.allocatable?.["cpu"]),
    memoryBytes: bytesOf(status?.allocatable?.["memory"]),
  };
}
