/** A region, and where it stands in the order in which a release goes out. */
export interface Place {
  region: string;
  /** Regions that come after this one. */
  after: number;
  /** A resource's name in this region: plain in the first, so that regions can be added to a stack that has one. */
  name: (base: string) => string;
}

/** The regions in their order. */
export function placesOf({ regions }: { regions: string[] }): Place[] {
  return regions.map((region, index) => ({
    region,
    after: regions.length - 1 - index,
    name: (base) => (index === 0 ? base : `${base}-${region}`),
  }));
}

/** Makes one thing for each item, one after the other: each is told what was made before it. */
export function inOrder<Item, Made>(items: Item[], make: (item: Item, before: Made[]) => Made): Made[] {
  const made: Made[] = [];
  for (const item of items) made.push(make(item, [...made]));
  return made;
}
