/** What is asked of Google's other services: whether an API is on, who logs in, and the secrets. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { read } from './bodies.mts';
import { addDefaultNetwork } from './networks.mts';
import { ApiError, invalid } from './errors.mts';
import type { Call, Route } from './route.mts';
import { newId } from './values.mts';

const service = ({ project, name }: Call): object => ({
  name: `projects/${project.number}/services/${name}`,
  parent: `projects/${project.number}`,
  state: project.services.has(name) ? 'ENABLED' : 'DISABLED',
  config: { name, title: name },
});

/** OS Login's name for somebody: the e-mail address with every other character as `_`. */
const userName = (account: string): string => account.replace(/[^a-z0-9]/gi, '_').slice(0, 32);

function profile(account: string, keys: readonly string[]): object {
  const username = userName(account);
  const entries = keys.map((key) => [newId(), { key, name: `users/${account}/sshPublicKeys`, fingerprint: newId() }] as const);
  return {
    name: account,
    posixAccounts: [
      {
        primary: true,
        username,
        uid: '1234567890',
        gid: '1234567890',
        homeDirectory: `/home/${username}`,
        operatingSystemType: 'LINUX',
        accountId: 'demo-project',
        name: `users/${account}/projects/demo-project`,
      },
    ],
    ...(entries.length > 0 && { sshPublicKeys: Object.fromEntries(entries) }),
  };
}

export const serviceRoutes: readonly Route[] = [
  {
    method: 'POST',
    pattern: /^v1\/projects\/(?<project>[^/]+)\/services\/(?<name>[^/:]+):enable$/,
    answer: (call) => {
      const { cloud, project, name, body } = call;
      read(z.strictObject({}), body);
      const fresh = !project.services.has(name);
      project.services.add(name);
      if (fresh && name === 'compute.googleapis.com' && cloud.options.defaultNetwork) addDefaultNetwork(cloud, project.name);
      return { name: `operations/acat.p2-${project.number}-${newId()}` };
    },
  },
  { method: 'GET', pattern: /^v1\/projects\/(?<project>[^/]+)\/services\/(?<name>[^/:]+)$/, answer: service },
  {
    method: 'GET',
    pattern: /^v1\/operations\/(?<name>.+)$/,
    answer: async ({ cloud, name }) => {
      await sleep(cloud.options.operationMs);
      return { name: `operations/${name}`, done: true, response: { '@type': 'type.googleapis.com/google.api.serviceusage.v1.EnableServiceResponse' } };
    },
  },
  {
    method: 'GET',
    pattern: /^v1\/users\/(?<name>[^/]+)\/loginProfile$/,
    answer: ({ cloud, name }) => {
      if (!name.includes('@')) throw invalid(`Invalid value for field 'name': 'users/${name}'.`);
      return profile(name, cloud.sshKeys.get(name) ?? []);
    },
  },
  {
    method: 'POST',
    pattern: /^v1\/users\/(?<name>[^/:]+):importSshPublicKey$/,
    answer: ({ cloud, name, body }) => {
      const { key } = read(z.strictObject({ key: z.string(), expirationTimeUsec: z.string().optional() }), body);
      cloud.sshKeys.set(name, [...(cloud.sshKeys.get(name) ?? []), key]);
      return { loginProfile: profile(name, cloud.sshKeys.get(name) ?? []) };
    },
  },
  {
    method: 'GET',
    service: 'secretmanager.googleapis.com',
    pattern: /^v1\/projects\/(?<project>[^/]+)\/secrets\/(?<name>[^/]+)\/versions\/(?:latest|1):access$/,
    answer: ({ project, name }) => {
      const secret = project.secrets.get(name);
      if (secret === undefined) throw new ApiError(404, 'notFound', `Secret [projects/${project.number}/secrets/${name}] not found or has no versions.`);
      return { name: `projects/${project.number}/secrets/${name}/versions/1`, payload: { data: Buffer.from(secret).toString('base64') } };
    },
  },
];
