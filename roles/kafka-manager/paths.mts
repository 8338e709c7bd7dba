/** Where the manager lives on a host; what is unpacked carries its digest, so that another archive is another folder. */
export const USER = 'kafka-manager';
export const UNIT = 'kafka-manager.service';
export const HOME = '/opt/kafka-manager';
export const CONFIG = '/etc/kafka-manager';
export const DATA = '/var/lib/kafka-manager';

const short = (sha256: string): string => sha256.slice(0, 12);
export const akhqJar = (sha256: string): string => `${HOME}/akhq-${short(sha256)}.jar`;
export const cmakZip = (sha256: string): string => `${HOME}/cmak-${short(sha256)}.zip`;
export const cmakHome = (sha256: string): string => `${HOME}/cmak-${short(sha256)}`;
