/**
 * Where parsed YAML holds what it lies in itself, as an alias can make it, as a JSON pointer; undefined where it doesn't. Such a document has no end, and no JSON.
 */
export function findCircle(document: unknown): string | undefined {
  const around = new Set<object>();
  // A part that several aliases name is looked at once.
  const sound = new Set<object>();
  const visit = (value: unknown, pointer: string): string | undefined => {
    if (typeof value !== "object" || value === null || sound.has(value)) return undefined;
    if (around.has(value)) return pointer;
    around.add(value);
    for (const [key, member] of Object.entries(value)) {
      const found = visit(member, `${pointer}/${key}`);
      if (found !== undefined) return found;
    }
    around.delete(value);
    sound.add(value);
    return undefined;
  };
  return visit(document, "");
}
