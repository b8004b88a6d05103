/** `app/` and `app` are the same folder; the first spelling is a habit of completion. */
export const withoutSlash = (name: string): string => (name.length > 1 ? name.replace(/\/+$/, "") : name);
