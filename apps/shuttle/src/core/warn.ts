import type { ServiceKey } from "./service-key.ts";

/** Tells the operator something, in a sentence; with the key of the service that it is about, where it is about one. */
export type Warn = (sentence: string, about?: ServiceKey) => void;
