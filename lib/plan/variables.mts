/** Sorts of variables that several roles have. */
import { z } from 'zod';

export const port = z.int().min(1024).max(65535);
/** A Java heap. */
export const size = z.string().regex(/^[1-9][0-9]*[mgMG]$/, 'a size such as 512m or 4g');
export const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'a version in quotes, such as "7.10.2"');
export const absolutePath = z.string().regex(/^\/[\w./+-]+$/, 'an absolute path');
