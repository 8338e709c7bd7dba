/** Sorts of variables that several roles have. */
import { z } from 'zod';

export const port = z.int().min(1024).max(65535);
/** A Java heap. */
export const size = z.string().regex(/^[1-9][0-9]*[mgMG]$/, 'a size such as 512m or 4g');
export const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'a version in quotes, such as "7.10.2"');
/** Without `..`: where it leads is what it says. */
export const absolutePath = z.string().regex(/^(?!.*\/\.\.?(\/|$))\/[\w./+-]+$/, 'an absolute path without "." and ".." in it');
/** A folder that a role makes its own, with owner and mode: none that belongs to the system. */
export const ownDirectory = absolutePath.regex(
  /^(?!\/+(((home|media|mnt|opt|root|srv|tmp|var|var\/(cache|lib|local|log|run|spool|tmp)|usr|usr\/[^/]+)\/*$)|((bin|boot|dev|etc|lib(32|64|x32)?|proc|run|sbin|sys)(\/|$))))/,
  'a folder of its own, such as /var/lib/kafka or /data/kafka: this one belongs to the system',
);
