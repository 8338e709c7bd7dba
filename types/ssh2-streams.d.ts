/** ssh2-promise's declarations name a package that ssh2 has since absorbed. */
declare module 'ssh2-streams' {
  export type { Attributes, FileEntry, InputAttributes, ReadStreamOptions, Stats, TransferOptions, WriteStreamOptions } from 'ssh2';
}
