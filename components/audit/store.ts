/** Reads the files of a self-managed back end: a directory or a bucket. */
export interface Store {
  readonly description: string;
  readonly kind: "file" | "bucket";
  /** Names in a folder, in no promised order; undefined when the folder isn't there. @param from names that sort before it may be left out */
  list(folder: string, from?: string): Promise<string[] | undefined>;
  /** The content, or undefined when there is no such file. */
  get(file: string): Promise<Buffer | undefined>;
  /** Whether the file is as it was first written, as far as the store notes that; true where it notes nothing. */
  isAsWritten(file: string): Promise<boolean>;
}
