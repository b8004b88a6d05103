import { Fault, type FaultCode } from "@starform/std/fault";

/** Turns the violation of one named constraint into a Fault; every other error passes untouched. */
export const onConstraint =
  (constraint: string, code: FaultCode, message: string) =>
  (error: unknown): never => {
    if ((error as { constraint?: string }).constraint === constraint)
      throw new Fault(code, message, { cause: error });
    throw error;
  };
