import { getProvenance, getSbom } from "@starform/contract/builds";
import { topic } from "../../command.ts";
import { documentCommand } from "./document-command.ts";

const sbom = documentCommand(getSbom, "what a deployment's image is made of (CycloneDX)");
const provenance = documentCommand(getProvenance, "how a deployment's image came to be (SLSA, in-toto)");

export default topic("component lists and provenance of images", { sbom, provenance });
