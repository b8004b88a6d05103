/** Kubernetes' spelling of amounts. */
export const cpu = (millis: number): string => `${millis}m`;
export const bytes = (count: number): string => String(count);
export const gib = 2 ** 30;
export const mib = 2 ** 20;
