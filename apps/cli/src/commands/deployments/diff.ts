import { diffDeployments } from "@starform/contract/deployments";
import { command, word } from "../../command.ts";
import { findDeployment } from "../../deploy/find-deployment.ts";
import { serviceTarget } from "../../target.ts";

export default command<{}, [string, string]>({
  brief: "show what changed between two deployments",
  detail: "Commit, image, config and variables; secrets as digests only.",
  positional: { kind: "tuple", parameters: [word("a", "number or id"), word("b", "number or id")] },
  async run(context, _flags, a, b) {
    const api = await context.api();
    const target = () => serviceTarget(context, api);
    const [from, to] = [await findDeployment(api, target, a), await findDeployment(api, target, b)];
    const diff = await api.call(diffDeployments, { params: { deployment: from.id, other: to.id } });
    const { paint } = context;
    context.answer(diff, () =>
      diff.changes.length === 0
        ? `#${from.number} and #${to.number} are the same`
        : diff.changes
            .flatMap(({ path, before, after }) => [
              paint("bold", path),
              ...(before === null ? [] : [paint("red", `  - ${before}`)]),
              ...(after === null ? [] : [paint("green", `  + ${after}`)]),
            ])
            .join("\n"),
    );
  },
});
