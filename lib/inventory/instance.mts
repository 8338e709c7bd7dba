import { z } from 'zod';

/** The API names what belongs to an instance by its address. */
const lastPart = z.string().transform((url) => url.slice(url.lastIndexOf('/') + 1));

/** An instance as `gcloud compute instances list --format=json` has it: the parts that an inventory is made from. */
export const instanceSchema = z.object({
  name: z.string(),
  zone: lastPart,
  machineType: lastPart,
  status: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  tags: z.object({ items: z.array(z.string()).default([]) }).default({ items: [] }),
  networkInterfaces: z.array(z.object({ networkIP: z.string().exactOptional() })).default([]),
});

export type Instance = z.output<typeof instanceSchema>;

const LABEL = /^labels(?:\.([\w-]+)|\[(['"])([\w-]+)\2\])$/;
const PLAIN = ['name', 'status', 'zone', 'machineType'] as const;

export const FIELDS = 'name, status, zone, machineType, tags.items, labels.NAME';

/** A field that can be asked for; `labels` is all of them, as name and value. */
export type Field =
  | { readonly kind: 'plain'; readonly name: (typeof PLAIN)[number] }
  | { readonly kind: 'tags' }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'labels' };

/** `labels.role`, `labels['role']`, `tags.items`, `zone`, …, as filters and Ansible's keys have them. */
export function parseField(text: string): Field | undefined {
  const name = PLAIN.find((each) => each === text);
  if (name !== undefined) return { kind: 'plain', name };
  if (/^tags(?:\.items|\[(['"])items\1\])?$/.test(text)) return { kind: 'tags' };
  if (text === 'labels') return { kind: 'labels' };
  const [, dotted, , quoted] = LABEL.exec(text) ?? [];
  const label = dotted ?? quoted;
  return label === undefined ? undefined : { kind: 'label', label };
}

/** What an instance has there; nothing for a label that it does not carry. */
export function valuesOf(instance: Instance, field: Exclude<Field, { kind: 'labels' }>): readonly string[] {
  switch (field.kind) {
    case 'plain':
      return [instance[field.name]];
    case 'tags':
      return instance.tags.items;
    case 'label': {
      const value = instance.labels[field.label];
      return value === undefined ? [] : [value];
    }
  }
}
