/** Go's file modes, which travel in place of the system's. */
export const goMode = {
  directory: 2 ** 31,
  link: 2 ** 27,
  device: 2 ** 26,
  pipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  sticky: 2 ** 20,
} as const;

/** Whether a bit of it is set; the numbers are past what `&` can tell. */
export const hasMode = (mode: number, bit: number): boolean => Math.floor(mode / bit) % 2 === 1;

/** Whether it is a file's with bytes to read. */
export const isRegular = (mode: number): boolean =>
  ![goMode.directory, goMode.link, goMode.device, goMode.pipe, goMode.socket].some((bit) =>
    hasMode(mode, bit),
  );

/** The bits that `chmod` takes. */
export const permissionsOf = (mode: number): number =>
  (mode & 0o777) +
  (hasMode(mode, goMode.setuid) ? 0o4000 : 0) +
  (hasMode(mode, goMode.setgid) ? 0o2000 : 0) +
  (hasMode(mode, goMode.sticky) ? 0o1000 : 0);
