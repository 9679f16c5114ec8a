/** As many releases can be retained at most (`retain` in the configuration). */
export const MOST_RETAINED = 500;
