import { runsKnownMax, type StatusReport } from "@starform/contract/clusters";

/** What a cron's report says of its runs; nothing where not all could be said, for what is not named counts as over. */
export const runsKnown = (runIds: readonly string[] | undefined): Pick<StatusReport, "runs_known"> =>
  runIds && runIds.length <= runsKnownMax ? { runs_known: runIds.toSorted() } : {};
