export { block, line } from './edit.mts';
export type { BlockOptions, LineOptions } from './edit.mts';
export { absent, directory } from './directory.mts';
export type { DirectoryOptions } from './directory.mts';
export { file } from './file.mts';
export type { FileOptions } from './file.mts';
export type { Common } from './resource.mts';
export { sysctl } from './sysctl.mts';
export type { SysctlOptions } from './sysctl.mts';
