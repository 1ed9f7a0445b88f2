// WASI preview 1, as far as the command needs it, declared by hand: no shim, no heap. All take and fill
// addresses in this module's memory and return an errno, 0 for success. The specification's names are kept.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_sizes_get")
export declare function argsSizesGet(count: usize, bytes: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_get")
export declare function argsGet(pointers: usize, texts: usize): i32;

/** Fills { u8 tag, u32 name bytes at 4 } for a folder that the engine gives; EBADF past the last. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_get")
export declare function fdPrestatGet(fd: i32, prestat: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
export declare function fdPrestatDirName(fd: i32, name: usize, bytes: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_open")
export declare function pathOpen(
  folder: i32,
  lookupFlags: i32,
  path: usize,
  pathBytes: usize,
  openFlags: i32,
  rights: i64,
  inheritedRights: i64,
  descriptorFlags: i32,
  opened: usize,
): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_rename")
export declare function pathRename(
  folder: i32,
  from: usize,
  fromBytes: usize,
  newFolder: i32,
  to: usize,
  toBytes: usize,
): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
export declare function fdRead(fd: i32, vectors: usize, count: usize, got: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
export declare function fdWrite(fd: i32, vectors: usize, count: usize, put: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_close")
export declare function fdClose(fd: i32): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
export declare function procExit(code: i32): void;

export const enum Errno {
  Acces = 2,
  Again = 6,
  Badf = 8,
  Interrupted = 27,
  NoEntry = 44,
  NotCapable = 76,
}

export const enum Rights {
  FdRead = 2,
  FdWrite = 64,
}

export const enum OpenFlags {
  Create = 1,
  Truncate = 8,
}

export const FOLLOW_LINKS: i32 = 1;
export const STDIN: i32 = 0;
export const STDOUT: i32 = 1;
export const STDERR: i32 = 2;
