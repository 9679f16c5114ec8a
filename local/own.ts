/** What an object holds itself under a name that comes from outside, and never what every object inherits, such as `constructor`. */
export function own<Value>(object: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
