const denied = "(?:permission denied|operation not permitted)";
const path = "[.]{0,2}/[^\\s'\"’:]*";

/** How programs say it of a file: of `open '/data/a'`, of `/data/a: …`, and of one that they cannot make. */
const ofFile: readonly RegExp[] = [
  new RegExp(`\\b(?:EACCES|EPERM): ${denied}, \\w+ ['"]`, "i"),
  new RegExp(`${denied}(?:: ['"]?| @ \\w+ - )${path}`, "i"),
  new RegExp(`(?:^|[\\s'"‘])${path}['"’]?(?:: | \\(| failed \\(\\d+: )${denied}`, "i"),
  new RegExp(
    `(?:cannot|can't|could not|unable to) (?:create|open|write|touch|remove|access)\\b.*: ${denied}`,
    "i",
  ),
];
/** A database's word, and that of a server one signs in to: no matter of the files here. */
const ofServer = /permission denied (?:for \w+ |to \w+ |\()|\(publickey/i;

/** Whether a line tells of a file or a folder that a program may not write or read. */
export const isDenialOfFile = (line: string): boolean =>
  !ofServer.test(line) && ofFile.some((form) => form.test(line));
