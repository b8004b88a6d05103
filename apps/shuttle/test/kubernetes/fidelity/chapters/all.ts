import type { Chapter } from "../request.ts";
import { customChapters } from "./custom.ts";
import { listChapters } from "./lists.ts";
import { namespacedChapters } from "./namespaced.ts";
import { objectChapters } from "./objects.ts";
import { podChapters } from "./pods.ts";
import { workloadChapters } from "./workloads.ts";

export const chapters: readonly Chapter[] = [
  ...objectChapters,
  ...listChapters,
  ...workloadChapters,
  ...namespacedChapters,
  ...podChapters,
  ...customChapters,
];
