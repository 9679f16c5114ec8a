/**
 * Text from outside (commit messages, names, error texts) on one line, with nothing in it that acts: no control characters (so no terminal sequences), no
 * line ends, nothing that reverses the direction of text or has no width. What is replaced shows as \u{…}. Source of the classes: Unicode General_Category.
 */
export function visible(text: string): string {
  return text
    .replace(/[\s\u0085]+/gu, " ")
    .replace(
      /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
    )
    .trim();
}

/** JSON that is safe to print: the same value, with everything that could act written as \uXXXX. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** At most so many characters, with an ellipsis where there were more. */
export function shortened(text: string, limit: number): string {
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join("")}…`;
}
