import { deleteToken } from "@starform/contract/identity";
import { command, optionalWord } from "../../command.ts";

export default command<{}, [string?]>({
  brief: "forget the stored sign-in",
  detail: "A token that login made for this machine is revoked; one that was pasted stays valid elsewhere.",
  positional: { kind: "tuple", parameters: [optionalWord("url", "the platform's address")] },
  async run(context, _flags, address) {
    const url =
      address?.replace(/\/+$/, "") ?? context.config.url ?? context.credentials.current() ?? context.url();
    const credential = context.credentials.of(url);
    if (credential?.tokenId) {
      const { call } = await context.api({ url, token: credential.token });
      await call(deleteToken, { params: { token: credential.tokenId } }, { timeoutMs: 5_000 }).catch(
        (error: Error) =>
          context.note(
            `the token could not be revoked (${error.message}); it is forgotten here all the same`,
          ),
      );
    }
    const wasSignedIn = context.credentials.forget(url);
    context.answer({ url, wasSignedIn }, () =>
      wasSignedIn ? `signed out of ${url}` : `you were not signed in to ${url}`,
    );
    if (context.config.token) context.note("STARFORM_TOKEN is still set, and commands go on using it");
  },
});
