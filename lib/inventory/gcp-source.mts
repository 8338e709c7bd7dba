/** Google Cloud as a source of hosts: an inventory file in the form of Ansible's google.cloud.gcp_compute. */
import { z } from 'zod';
import type { GroupName } from '../names.mts';
import { isGroupName } from '../names.mts';
import type { Document } from './document.mts';
import type { Instance } from './instance.mts';
import { FIELDS, parseField, valuesOf } from './instance.mts';
import { parseFilter, satisfies } from './instance-filter.mts';
import type { Problems } from './problems.mts';
import { quoted } from './problems.mts';
import type { Setting } from './structure.mts';
import { didYouMean } from './suggest.mts';
import { readVariables } from './validate.mts';
import type { YamlMap } from './yaml.mts';

/** The provider that knows where its instances are. */
export const LOCATED_BY = 'gcp';

const PLUGINS = ['google.cloud.gcp_compute', 'gcp_compute'] as const;

export const isGcpSource = (root: YamlMap): boolean =>
  root.entries.some(({ key, value }) => key === 'plugin' && value.kind === 'scalar' && PLUGINS.some((name) => name === value.value));

const text = z.string().min(1);
const textOrList = z.union([text, z.array(text).min(1)]);

/** What an instance must have to be in a group: all of it. */
const conditions = z.strictObject(
  {
    labels: z.record(z.string(), z.string()).exactOptional(),
    tags: textOrList.exactOptional(),
    zone: textOrList.exactOptional(),
    status: textOrList.exactOptional(),
    machineType: textOrList.exactOptional(),
    name: textOrList.exactOptional(),
  },
  {
    error: (issue) =>
      issue.code === 'invalid_type' ? 'must be conditions, such as { labels: { role: broker } }: expressions of Jinja are not evaluated' : undefined,
  },
);

const filter = text.superRefine((given, context) => {
  const parsed = parseFilter(given);
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
});

const keyedGroup = z.strictObject({
  key: text.refine((key) => parseField(key) !== undefined, { error: `must be one of ${FIELDS}, labels: expressions of Jinja are not evaluated` }),
  prefix: z.string().default(''),
  separator: z.string().default('_'),
  parent_group: z.string().refine(isGroupName, { error: 'must be the name of a group' }).exactOptional(),
});

/** Options by Ansible's names. */
export const gcpSourceSchema = z.object({
  plugin: z.enum(PLUGINS).describe('google.cloud.gcp_compute: hosts are the instances of projects in Google Cloud.'),
  projects: z.array(text).min(1).describe('Ids of the projects; each is listed once, by gcloud with its own login.'),
  zones: z.array(text).min(1).describe('Only instances of these zones.').exactOptional(),
  filters: z.array(filter).default([]).describe('Only instances for which all of these hold, such as labels.role = broker or status = RUNNING.'),
  hostnames: z
    .array(z.string())
    .refine((names) => names.length === 1 && names[0] === 'name', {
      error: 'must be [name]: a host has the name of its instance, and its address is looked up',
    })
    .describe('[name]: a host has the name of its instance.')
    .exactOptional(),
  keyed_groups: z.array(keyedGroup).default([]).describe('Groups by the values of a field: PREFIX_VALUE.'),
  leading_separator: z.boolean().default(true).describe('Whether a group without a prefix begins with the separator.'),
  groups: z.record(z.string(), conditions).default({}).describe('Groups by conditions: brokers: { labels: { role: broker } }.'),
});

type Options = z.output<typeof gcpSourceSchema>;

/** Gcloud logs in by itself, and asks anew at every run. */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'auth_kind', 'scopes', 'env_type', 'service_account_email', 'service_account_file', 'service_account_contents', 'access_token',
  'cache', 'cache_plugin', 'cache_timeout', 'cache_connection', 'cache_prefix', 'strict', 'vars_prefix', 'retrieve_image_info', 'use_extra_vars',
]); // prettier-ignore

const INSTEAD: Readonly<Record<string, string>> = {
  compose: 'expressions of Jinja are not evaluated: addresses are looked up; other variables belong into a YAML inventory beside it, given with a second -i',
  folders: 'name the projects',
  name_suffix: 'a host has the name of its instance',
  use_contrib_script_compatible_sanitization: 'names of groups are letters, digits and _: leave it out',
};

/** What the file says, checked. */
export interface GcpSource {
  readonly document: Document;
  readonly options: Options;
  /** Where the file names its projects. */
  readonly at: number;
  readonly notices: readonly string[];
}

/** `undefined` with problems where the options are not valid. */
export function readGcpSource(document: Document, root: YamlMap, problems: Problems): GcpSource | undefined {
  const known = Object.keys(gcpSourceSchema.shape);
  const settings = new Map<string, Setting>();
  const idle: string[] = [];
  const wrong: { readonly at: number; readonly message: string; readonly hint?: string | undefined }[] = [];
  for (const { key, keyAt: at, value } of root.entries) {
    if (known.includes(key)) settings.set(key, { name: key, node: value, document, at });
    else if (WITHOUT_EFFECT.has(key)) idle.push(key);
    else if (Object.hasOwn(INSTEAD, key)) wrong.push({ at, message: `option ${quoted(key)} is not supported`, hint: INSTEAD[key] });
    else
      wrong.push({
        at,
        message: `unknown option ${quoted(key)} of google.cloud.gcp_compute`,
        hint: didYouMean(key, [...known, ...WITHOUT_EFFECT]) ?? `options: ${known.join(', ')}`,
      });
  }
  const reading = readVariables(gcpSourceSchema, '', settings, () => undefined);
  wrong.push(...reading.problems, ...reading.missing.map((name) => ({ at: root.at, message: `${name} is missing`, hint: `write ${name}: [my-project-123]` })));
  const groups = settings.get('groups')?.node;
  for (const { key, keyAt: at } of groups?.kind === 'map' ? groups.entries : [])
    if (!isGroupName(key)) wrong.push({ at, message: `group name ${quoted(key)} is not valid`, hint: 'letters, digits and _, at most 63' });
  for (const { at, message, hint } of wrong) problems.at(document, at, message, hint);
  if (wrong.length > 0) return undefined;
  return {
    document,
    options: reading.value as Options,
    at: settings.get('projects')?.at ?? 0,
    notices: idle.length === 0 ? [] : [`${document.file}: options of Ansible without effect here, where gcloud logs in by itself: ${idle.sort().join(', ')}`],
  };
}

/** Whether the file wants this instance of one of its projects. */
export const wants = ({ options: { zones, filters } }: GcpSource, instance: Instance): boolean =>
  (zones === undefined || zones.includes(instance.zone)) && filters.every((each) => isSatisfied(instance, each));

function isSatisfied(instance: Instance, given: string): boolean {
  const parsed = parseFilter(given);
  return !('problem' in parsed) && satisfies(instance, parsed);
}

export interface FoundGroup {
  readonly name: GroupName;
  readonly parent?: GroupName;
}

/** The groups that the file puts an instance into. */
export function groupsOf({ options }: GcpSource, instance: Instance): readonly FoundGroup[] {
  const named = Object.entries(options.groups).flatMap(([name, wanted]) => (isGroupName(name) && meets(instance, wanted) ? [{ name }] : []));
  const keyed = options.keyed_groups.flatMap(({ key, prefix, separator, parent_group: parent }) =>
    keyedValues(instance, key, separator).flatMap((value): readonly FoundGroup[] => {
      const name = safe(`${prefix}${prefix === '' && !options.leading_separator ? '' : separator}${value}`).slice(0, MAX_NAME);
      return isGroupName(name) ? [{ name, ...(parent === undefined ? {} : { parent: parent }) }] : [];
    }),
  );
  return [...named, ...keyed];
}

const MAX_NAME = 63;

/** As Ansible makes a name of a group of any text. */
const safe = (name: string): string => name.replace(/^[\d\W]|\W/g, '_');

function keyedValues(instance: Instance, key: string, separator: string): readonly string[] {
  const field = parseField(key);
  if (field === undefined) return [];
  const values = field.kind === 'labels' ? Object.entries(instance.labels).map(([name, value]) => `${name}${separator}${value}`) : valuesOf(instance, field);
  return values.filter((value) => value !== '');
}

function meets(instance: Instance, { labels = {}, tags, ...plain }: z.output<typeof conditions>): boolean {
  const isOneOf = (wanted: string | readonly string[] | undefined, found: string): boolean => wanted === undefined || [wanted].flat().includes(found);
  return (
    Object.entries(labels).every(([name, value]) => instance.labels[name] === value) &&
    [tags ?? []].flat().every((tag) => instance.tags.items.includes(tag)) &&
    isOneOf(plain.zone, instance.zone) &&
    isOneOf(plain.status, instance.status) &&
    isOneOf(plain.machineType, instance.machineType) &&
    isOneOf(plain.name, instance.name)
  );
}
