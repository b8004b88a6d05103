import { restartService } from "@starform/contract/services";
import { command, optionalWord } from "../../command.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";

export default command<{}, [string?]>({
  brief: "replace every instance by a fresh one",
  detail: "The same deployment, without a dropped request.",
  positional: { kind: "tuple", parameters: [optionalWord("service", "which service (the linked one)")] },
  async run(context, _flags, name) {
    const api = await context.api();
    const target = await serviceTarget(context, api, name);
    const service = await api.call(restartService, { params: paramsOf(target), query: queryOf(target) });
    context.answer(
      service,
      () => `${service.name} is being restarted in ${service.environment}; look: starform status`,
    );
  },
});
