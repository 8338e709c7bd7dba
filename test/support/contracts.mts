import { z } from 'zod';
import { secretSchema } from '../../lib/inventory/secrets.mts';
import type { Contract } from '../../lib/inventory/model.mts';
import { contract } from '../../lib/plan/role.mts';

/** Roles with one variable of each sort, so that tests of the inventory stand when real roles change. */
export const store = contract(
  'store',
  z.strictObject({
    version: z
      .string()
      .regex(/^\d+\.\d+(\.\d+)?$/, 'a version in quotes, such as "7.10.2"')
      .default('7.10.2'),
    heap: z.union([z.literal('auto'), z.string().regex(/^\d+[mg]$/, 'a size such as 512m')]).default('auto'),
    http_port: z.int().min(1024).max(65535).default(9200),
    managed: z.boolean().default(true),
    delivery: z.enum(['host', 'controller']).default('host'),
    password: secretSchema.exactOptional(),
    seeds: z.array(z.string().min(1)).max(3).exactOptional(),
    tls: z.strictObject({ enabled: z.boolean().default(false), key: z.string() }).exactOptional(),
    ratio: z.number().min(0).max(1).exactOptional(),
  }),
);
export const osLimits = contract('os-limits', z.strictObject({ nofile: z.int().min(1024).default(65535), nproc: z.int().exactOptional() }));
/** Needs something that nobody can guess. */
export const firewall = contract('firewall', z.strictObject({ project: z.string(), range: z.string().default('10.0.0.0/8') }));

export const contracts: readonly Contract<unknown>[] = [store, osLimits, firewall];
