import type { KubeError } from "@starform/kubernetes/kube-error";
import { shorten } from "../../../core/shorten.ts";
import type { Manifest } from "../manifests/manifest.ts";

/** Why an apply did not happen, and what to do about it. */
export type Refusal =
  /** The API server is not to be had now, for anything: wait, and let it be. */
  | { readonly kind: "away"; readonly waitMs: number; readonly sentence: string }
  /** It may work the next time. */
  | { readonly kind: "again"; readonly sentence: string }
  /** The same manifest will be refused again: only another one, or somebody's doing, helps. */
  | { readonly kind: "final"; readonly sentence: string };

const awayMs = 1_000;
/** Of what the API server says. */
const lengthMax = 300;
/** Answers of a proxy or of a server that is starting or overloaded. */
const awayStatuses: ReadonlySet<number> = new Set([0, 429, 502, 503, 504]);

/**
 * Judges a refusal of the API server. A 500 is tried again, except where the server failed on the manifest itself: it
 * answers a field that its schema does not have with 500 and no reason.
 */
export function judgeRefusal(error: KubeError, manifest: Manifest): Refusal {
  const what = `${manifest.kind} ${manifest.metadata.name}`;
  const { status, message } = error;
  if (awayStatuses.has(status)) {
    const waitMs = Math.max(awayMs, (error.body.details?.retryAfterSeconds ?? 0) * 1_000);
    return { kind: "away", waitMs, sentence: shorten(message, lengthMax) };
  }
  if (isTerminating(error))
    return {
      kind: "again",
      sentence: `the namespace ${manifest.metadata.namespace ?? ""} is still being removed; it is made again after that`,
    };
  if (status === 403 && message.includes("exceeded quota"))
    return {
      kind: "again",
      sentence: `quota: ${shorten(message.slice(message.indexOf("exceeded quota") + 16), lengthMax)}`,
    };
  const ofVolume = manifest.kind === "PersistentVolumeClaim" ? sizeWords(message) : undefined;
  if (ofVolume) return { kind: "final", sentence: ofVolume };
  if (status === 401 || (status === 403 && / cannot [a-z]+ resource /.test(message)))
    return {
      kind: "again",
      sentence: `Shuttle may not make ${what}: ${shorten(message, lengthMax)}; the cluster's operator must let it`,
    };
  if (status === 404 && error.body.details?.kind === "namespaces")
    return {
      kind: "again",
      sentence: `there is no namespace ${error.body.details.name ?? ""}: Shuttle makes those of projects again, the cluster's operator all others`,
    };
  if (status === 404)
    return {
      kind: "again",
      sentence: `the cluster does not know ${manifest.kind} (${manifest.apiVersion}): its operator must install it`,
    };
  if (status === 409) return { kind: "again", sentence: shorten(message, lengthMax) };
  if (status >= 500 && !isOfSchema(message))
    return { kind: "again", sentence: `${what}: ${shorten(message, lengthMax)}` };
  return {
    kind: "final",
    sentence: `the cluster refuses ${what}: ${shorten(causesOf(error) ?? message, lengthMax)}`,
  };
}

/** Why a volume keeps the size that it has. */
function sizeWords(message: string): string | undefined {
  if (/can not be less than (status\.capacity|previous value)/.test(message))
    return "a volume grows and never shrinks: it keeps its size, and what is in it; give it that size again, or a larger one";
  if (/only dynamically provisioned pvc can be resized/.test(message))
    return "the volume keeps its size: the cluster's storage class lets none grow, which its operator may allow (allowVolumeExpansion)";
  return undefined;
}

const isTerminating = ({ body }: KubeError): boolean =>
  body.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false;

const isOfSchema = (message: string): boolean =>
  message.includes("field not declared in schema") || message.includes("failed to create typed patch object");

function causesOf({ body }: KubeError): string | undefined {
  const causes = body.details?.causes?.filter(({ field }) => field) ?? [];
  if (causes.length === 0) return undefined;
  return causes.map(({ field, message }) => `${field}: ${message ?? "wrong"}`).join("; ");
}
