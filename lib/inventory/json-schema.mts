import { z } from 'zod';
import { HARMLESS, connectionSchema } from './connection.mts';
import { WITHOUT_EFFECT, gcpSourceSchema } from './gcp-source.mts';
import type { AnyContract } from './vocabulary.mts';
import { prefixOf } from './vocabulary.mts';

type JsonSchema = Record<string, unknown>;

/**
 * JSON Schema (draft 2020-12) of an inventory file, from the validators themselves: editors complete and check names and values with it.
 * Host ranges, references between files and everything about levels is known to `loadInventory` only.
 */
export function inventoryJsonSchema(contracts: readonly AnyContract[]): JsonSchema {
  const variables: JsonSchema = propertiesOf('', connectionSchema);
  for (const name of HARMLESS) variables[name] = { description: 'Accepted for the sake of Ansible; without effect here.', deprecated: true };
  for (const contract of contracts) Object.assign(variables, propertiesOf(prefixOf(contract), contract.schema));
  const reserved = [...new Set(['ansible_', 'connection_', ...contracts.map(prefixOf)])].join('|');
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Inventory',
    description: "Hosts, groups and their variables, in the form of Ansible's YAML inventory; or, with a plugin, where hosts are found.",
    type: 'object',
    if: { required: ['plugin'] },
    then: { $ref: '#/$defs/source' },
    else: {
      properties: { all: { $ref: '#/$defs/group' } },
      propertyNames: { not: { enum: ['hosts', 'children', 'vars'] } },
      additionalProperties: { $ref: '#/$defs/group' },
    },
    $defs: {
      source: sourceSchema(),
      group: {
        type: ['object', 'null'],
        properties: {
          hosts: {
            description: 'Hosts by name, each with its own variables; es-[01:03] is three hosts.',
            type: ['object', 'null'],
            propertyNames: { pattern: '^[a-z0-9[]([a-z0-9.:-]|\\[[0-9a-zA-Z:]+\\])*$' },
            additionalProperties: { $ref: '#/$defs/variables' },
          },
          children: { description: 'Groups of this group.', type: ['object', 'null'], additionalProperties: { $ref: '#/$defs/group' } },
          vars: { $ref: '#/$defs/variables', description: 'Variables of all hosts of this group.' },
        },
        additionalProperties: false,
      },
      variables: {
        type: ['object', 'null'],
        properties: variables,
        propertyNames: { anyOf: [{ enum: Object.keys(variables) }, { not: { pattern: `^(?:${reserved})` } }] },
      },
      secret: {
        type: 'object',
        properties: {
          secret: {
            description:
              'Where the secret is, never the secret: env:NAME, file:PATH (mode 0600), generate:NAME (made once), gcloud:NAME or gcloud:PROJECT/NAME.',
            type: 'string',
            pattern: '^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+|generate:[a-z][a-z0-9_-]*|gcloud:(?:[a-z0-9.:-]+/)?[A-Za-z0-9_-]+)$',
          },
        },
        required: ['secret'],
        additionalProperties: false,
      },
    },
  };
}

function sourceSchema(): JsonSchema {
  const idle = [...WITHOUT_EFFECT].map((name) => [name, { description: 'Accepted for the sake of Ansible; without effect here.', deprecated: true }]);
  return {
    type: 'object',
    properties: { ...propertiesOf('', gcpSourceSchema), ...Object.fromEntries(idle) },
    required: ['plugin', 'projects'],
    additionalProperties: false,
  };
}

function propertiesOf(prefix: string, schema: z.ZodObject): JsonSchema {
  return Object.fromEntries(Object.entries(schema.shape).map(([key, value]) => [prefix + key, jsonSchemaOf(value as z.ZodType)]));
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema['x-secret'] === true) {
        delete jsonSchema['x-secret'];
        jsonSchema.$ref = '#/$defs/secret';
      } else if (jsonSchema.type === 'boolean') {
        // Ansible's own spellings of booleans are text to editors, which read YAML 1.2.
        delete jsonSchema.type;
        jsonSchema.enum = [true, false, 'yes', 'no', 'on', 'off'];
      } else if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER || jsonSchema.minimum === Number.MIN_SAFE_INTEGER) {
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
        if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      }
    },
  });
  return made;
}
