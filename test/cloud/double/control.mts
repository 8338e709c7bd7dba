/** What tests do to the double behind the API's back: POST /control/NAME with JSON. test/cloud/support.mts has a method for each. */
import { z } from 'zod';
import { projectOf } from './api.mts';
import { bodies } from './bodies.mts';
import type { Cloud } from './cloud.mts';
import { notFound } from './errors.mts';
import { faultShape } from './faults.mts';
import type { Resource } from './resources.mts';
import type { Relay } from './tunnel.mts';

interface Double {
  readonly cloud: Cloud;
  readonly relay: Relay;
}

const record = z.record(z.string(), z.unknown());

/** Each takes the body of the call and gives what is answered. */
const calls: Readonly<Record<string, (double: Double, body: unknown) => unknown>> = {
  fault: ({ cloud }, body) => {
    cloud.faults.add(faultShape.parse(body));
  },
  'clear-faults': ({ cloud }) => {
    cloud.faults.clear();
  },
  requests: ({ cloud }) => cloud.noted,
  forget: ({ cloud }) => {
    cloud.noted.length = 0;
  },
  resources: ({ cloud }, body) => {
    const { project } = z.strictObject({ project: z.string() }).parse(body);
    return cloud.tables.flatMap((table) => table.all(project));
  },
  edit: ({ cloud }, body) => {
    const { path, change } = z.strictObject({ path: z.string(), change: record }).parse(body);
    const table = cloud.tables.find((one) => one.get(path) !== undefined);
    if (table === undefined) throw notFound(path);
    const edited: Record<string, unknown> = { ...table.require(path), ...change };
    const kept = Object.entries(edited).filter(([, value]) => value !== null);
    return table.put(Object.fromEntries(kept) as unknown as Resource);
  },
  remove: ({ cloud }, body) => {
    const { path } = z.strictObject({ path: z.string() }).parse(body);
    for (const table of cloud.tables) table.delete(path);
  },
  policies: ({ cloud }, body) => {
    const { network, policies } = z.strictObject({ network: z.string(), policies: z.array(bodies.policy) }).parse(body);
    cloud.policies.set(network, policies);
  },
  secret: ({ cloud }, body) => {
    const { project, name, value } = z.strictObject({ project: z.string(), name: z.string(), value: z.string() }).parse(body);
    projectOf(cloud, project).secrets.set(name, value);
  },
  disable: ({ cloud }, body) => {
    const { project, service } = z.strictObject({ project: z.string(), service: z.string() }).parse(body);
    projectOf(cloud, project).services.delete(service);
  },
  'cut-tunnels': ({ relay }) => {
    relay.cut();
  },
  guest: ({ cloud }, body) => {
    const { path, ...guest } = z.strictObject({ path: z.string(), address: z.ipv4().optional(), hostKeys: z.array(z.string()) }).parse(body);
    cloud.guests.set(path, { ...guest, console: cloud.guests.get(path)?.console ?? '' });
  },
};

/** @throws for a call that does not exist and for a body that it does not take. */
export function control(double: Double, name: string, body: string): unknown {
  const call = calls[name];
  if (call === undefined) throw new Error(`no control call ${name}: ${Object.keys(calls).join(' ')}`);
  return call(double, body === '' ? {} : JSON.parse(body)) ?? {};
}
