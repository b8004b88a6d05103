/** A registry beside us speaks plain HTTP, as ours does. */
export const isLoopback = (host: string): boolean => /^(127\.|localhost(:|$))/.test(host);
