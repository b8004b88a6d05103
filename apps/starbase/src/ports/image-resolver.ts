/** What a registry is signed in to with. Never for a log. */
export type ImageSignIn = { readonly username: string; readonly password: string };

/** Asks registries what a name stands for. */
export interface ImageResolver {
  /**
   * `sha256:…` of the manifest, or of the index, that the name stands for at this moment. Faults: `invalid` where the
   * registry has no such image, or does not show it to this sign-in; `unavailable` where it cannot be asked.
   */
  digestOf(image: string, signIn: ImageSignIn | undefined): Promise<string>;
}
