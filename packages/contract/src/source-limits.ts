/** How large an uploaded source may be. */
export type SourceLimits = {
  /** Of the gzipped tar. */
  readonly packedBytesMax: number;
  /** Of the files in it. */
  readonly bytesMax: number;
  /** Files, folders and links together. */
  readonly entriesMax: number;
};

/** The one limit: the API refuses what is larger, and a client before it makes anything for it. */
export const sourceLimits: SourceLimits = {
  packedBytesMax: 512 * 2 ** 20,
  bytesMax: 2_000_000_000,
  entriesMax: 200_000,
};
