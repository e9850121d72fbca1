export type FileKind = 'file' | 'directory' | 'other';

/**
 * The port through which every file operation goes, except those inside the index store. Paths are absolute. Every
 * method rejects with the system's own error; none retries and none hides a short write.
 */
export interface FileSystem {
  /** `create` fails where the file exists; `append` fails where it does not. Only those two modes write. */
  open(path: string, mode: 'read' | 'append' | 'create'): Promise<FileHandle>;
  /** Names in a directory, sorted; an absent directory has none. */
  list(path: string): Promise<string[]>;
  /** `null` where nothing stands at the path; `other`: a socket, a pipe, a device. */
  stat(path: string): Promise<{ readonly kind: FileKind; readonly bytes: number } | null>;
  /** Makes a directory and those above it; no error where it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Atomic; replaces what stands at `to`. Durable after `syncDirectory` of the parent. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name; fails where something stands there. */
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Removes a directory and all in it; no error where it is absent. */
  removeTree(path: string): Promise<void>;
  /** Makes the entries of a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

export interface FileHandle {
  /** Fills as much of `buffer` as the file has from `offset` on; returns how many bytes that is. */
  read(buffer: Uint8Array, offset: number): Promise<number>;
  readSync(buffer: Uint8Array, offset: number): number;
  /** Writes all the bytes, in order, at the end of the file. */
  append(parts: readonly Uint8Array[]): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Makes the file's bytes and size durable. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}
