/** What a caller is told when the disk of the platform is full. */
export const platformDiskIsFull =
  "the disk of this platform is full, so nothing was kept: its operator must free some space, then try again";
