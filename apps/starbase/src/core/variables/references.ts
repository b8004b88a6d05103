/** `${{Service.VAR}}`, `${{group.VAR}}`, `${{VAR}}`. */
const reference = /\$\{\{\s*(?:([^\s{}.]+)\.)?([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;

export type Reference = { readonly namespace: string | undefined; readonly name: string };

export const referencesIn = (template: string): Reference[] =>
  [...template.matchAll(reference)].map(([, namespace, name]) => ({ namespace, name: name! }));

/** Writes each namespace anew: names to ids before storing, ids to names before showing. */
export const rewriteNamespaces = (template: string, rewrite: (namespace: string) => string): string =>
  template.replaceAll(reference, (_, namespace: string | undefined, name: string) =>
    namespace === undefined ? `\${{${name}}}` : `\${{${rewrite(namespace)}.${name}}}`,
  );

/** Puts a value in the place of each reference. */
export const fillReferences = (template: string, value: (reference: Reference) => string): string =>
  template.replaceAll(reference, (_, namespace: string | undefined, name: string) =>
    value({ namespace, name }),
  );
