/** XML without its comments; one that is not closed reaches to the end. It costs what the text costs, however many begin. */
export function withoutXmlComments(text: string): string {
  const [before, ...comments] = text.split("<!--");
  return [before, ...comments.map(afterComment)].join("");
}

function afterComment(text: string): string {
  const end = text.indexOf("-->");
  return end === -1 ? "" : text.slice(end + "-->".length);
}
