/** @returns {boolean} whether version a (1.2.3, a leading v allowed) is b or newer; a pre-release counts as older than its release */
export function isAtLeast(a, b) {
  const [numbersA, preA] = parse(a);
  const [numbersB, preB] = parse(b);
  for (let i = 0; i < 3; i++) {
    const difference = (numbersA[i] ?? 0) - (numbersB[i] ?? 0);
    if (Number.isNaN(difference)) return false;
    if (difference !== 0) return difference > 0;
  }
  return !(preA && !preB);
}

function parse(version) {
  const [release, ...pre] = version.trim().replace(/^v/, "").split("+")[0].split("-");
  return [release.split(".").map((part) => Number.parseInt(part, 10)), pre.length > 0];
}
