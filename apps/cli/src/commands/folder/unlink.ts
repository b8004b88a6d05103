import { command } from "../../command.ts";

export default command({
  brief: "disconnect this folder",
  async run(context) {
    const linked = context.links.around(context.host.cwd);
    if (linked) context.links.forget(linked.folder);
    context.answer({ folder: linked?.folder ?? context.host.cwd, wasLinked: Boolean(linked) }, () =>
      linked
        ? `${linked.folder} is not linked any more; project ${linked.link.project} and what runs stay as they are`
        : "this folder was not linked",
    );
  },
});
