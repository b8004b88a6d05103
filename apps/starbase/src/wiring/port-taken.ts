import { Fault } from "@starform/std/fault";

/** For what cannot listen: a Fault that names the setting where another program has the port, else the error itself. */
export const portTaken =
  ({ host, port }: { readonly host: string; readonly port: number }, setting: string) =>
  (error: NodeJS.ErrnoException): never => {
    if (error.code !== "EADDRINUSE") throw error;
    throw new Fault(
      "conflict",
      `port ${port} of ${host} is used by another program: stop that one, or set ${setting} to a free port`,
      { cause: error },
    );
  };
