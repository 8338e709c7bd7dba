/**
 * What the API takes in a request's body. A field that is not listed here is refused as the API refuses a field that it does not know, so a field
 * of the real API that is missing here shows up as a failing test, never as a silent success. Numbers of 64 bits travel as strings.
 */
import { z } from 'zod';
import { ApiError } from './errors.mts';

const int64 = z.union([z.int(), z.string().regex(/^\d+$/)]).transform(String);
const int32 = z.union([z.int(), z.string().regex(/^\d+$/)]).transform(Number);
const text = z.string();
const flag = z.boolean();
const texts = z.array(text);
const labels = z.record(text, text);

/** Fields that the API fills in itself and takes, unread, in every body. */
const outputs = { kind: z.unknown().optional(), id: z.unknown().optional(), selfLink: z.unknown().optional(), creationTimestamp: z.unknown().optional() };

const message = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject({ ...outputs, ...shape }).partial();

const metadata = message({ fingerprint: text, items: z.array(message({ key: text, value: text })) });
const tags = message({ fingerprint: text, items: texts });
const serviceAccount = message({ email: text, scopes: texts });
const accessConfig = message({
  name: text,
  natIP: text,
  networkTier: z.enum(['PREMIUM', 'STANDARD']),
  type: z.enum(['ONE_TO_ONE_NAT']),
});
const guestOsFeature = message({ type: text });
const attachedDisk = message({
  autoDelete: flag,
  boot: flag,
  deviceName: text,
  initializeParams: message({
    description: text,
    diskName: text,
    diskSizeGb: int64,
    diskType: text,
    labels,
    sourceImage: text,
  }),
  interface: z.enum(['SCSI', 'NVME']),
  mode: z.enum(['READ_WRITE', 'READ_ONLY']),
  source: text,
  type: z.enum(['PERSISTENT']),
});
const networkInterface = message({
  accessConfigs: z.array(accessConfig),
  fingerprint: text,
  name: text,
  network: text,
  networkIP: text,
  stackType: z.enum(['IPV4_ONLY']),
  subnetwork: text,
});
const scheduling = message({
  automaticRestart: flag,
  onHostMaintenance: z.enum(['MIGRATE', 'TERMINATE']),
  preemptible: flag,
  provisioningModel: z.enum(['STANDARD', 'SPOT', 'FLEX_START', 'RESERVATION_BOUND']),
  instanceTerminationAction: z.enum(['STOP', 'DELETE', 'INSTANCE_TERMINATION_ACTION_UNSPECIFIED']),
});
const protocols = z.array(message({ IPProtocol: text, ports: texts }));
const logConfig = message({ enable: flag, metadata: z.enum(['INCLUDE_ALL_METADATA', 'EXCLUDE_ALL_METADATA']) });

export const bodies = {
  address: message({ name: text, address: text, addressType: z.enum(['EXTERNAL']), description: text, networkTier: z.enum(['PREMIUM', 'STANDARD']) }),
  instance: message({
    canIpForward: flag,
    deletionProtection: flag,
    description: text,
    disks: z.array(attachedDisk),
    displayDevice: message({ enableDisplay: flag }),
    hostname: text,
    labels,
    machineType: text,
    metadata,
    name: text,
    networkInterfaces: z.array(networkInterface),
    scheduling,
    serviceAccounts: z.array(serviceAccount),
    shieldedInstanceConfig: message({ enableIntegrityMonitoring: flag, enableSecureBoot: flag, enableVtpm: flag }),
    tags,
  }),
  metadata,
  tags,
  labels: message({ labels, labelFingerprint: text }),
  machineType: message({ machineType: text }),
  serviceAccount,
  attachedDisk,
  accessConfig,
  disk: message({
    description: text,
    guestOsFeatures: z.array(guestOsFeature),
    labels,
    licenses: texts,
    name: text,
    provisionedIops: int64,
    provisionedThroughput: int64,
    resourcePolicies: texts,
    sizeGb: int64,
    sourceImage: text,
    type: text,
    zone: z.unknown(),
  }),
  diskSize: message({ sizeGb: int64 }),
  /** A firewall policy as it is in force in a network. */
  policy: message({
    name: text,
    displayName: text,
    shortName: text,
    priority: int32,
    type: z.enum(['HIERARCHY', 'NETWORK', 'NETWORK_REGIONAL', 'SYSTEM', 'SYSTEM_GLOBAL', 'SYSTEM_REGIONAL']),
    rules: z.array(
      message({
        action: z.enum(['allow', 'deny', 'goto_next', 'apply_security_profile_group']),
        description: text,
        direction: z.enum(['INGRESS', 'EGRESS']),
        disabled: flag,
        enableLogging: flag,
        match: message({
          srcIpRanges: texts,
          destIpRanges: texts,
          srcSecureTags: z.array(message({ name: text, state: text })),
          layer4Configs: z.array(message({ ipProtocol: text, ports: texts })),
        }),
        priority: int32,
        ruleName: text,
        targetResources: texts,
        targetSecureTags: z.array(message({ name: text, state: text })),
        targetServiceAccounts: texts,
      }),
    ),
  }),
  firewall: message({
    allowed: protocols,
    denied: protocols,
    description: text,
    destinationRanges: texts,
    direction: z.enum(['INGRESS', 'EGRESS']),
    disabled: flag,
    logConfig,
    name: text,
    network: text,
    priority: int32,
    sourceRanges: texts,
    sourceServiceAccounts: texts,
    sourceTags: texts,
    targetServiceAccounts: texts,
    targetTags: texts,
  }),
  network: message({
    autoCreateSubnetworks: flag,
    description: text,
    mtu: int32,
    name: text,
    routingConfig: message({
      routingMode: z.enum(['REGIONAL', 'GLOBAL']),
      bgpBestPathSelectionMode: z.enum(['LEGACY', 'STANDARD']),
      bgpAlwaysCompareMed: flag,
      bgpInterRegionCost: z.enum(['DEFAULT', 'ADD_COST_TO_MED']),
    }),
  }),
  subnetwork: message({
    description: text,
    enableFlowLogs: flag,
    ipCidrRange: text,
    name: text,
    network: text,
    privateIpGoogleAccess: flag,
    purpose: z.enum(['PRIVATE']),
    region: z.unknown(),
    stackType: z.enum(['IPV4_ONLY']),
  }),
  router: message({
    bgp: message({ asn: int64, advertiseMode: text, advertisedGroups: texts, keepaliveInterval: int32 }),
    description: text,
    name: text,
    nats: z.array(
      message({
        autoNetworkTier: z.enum(['PREMIUM', 'STANDARD']),
        enableDynamicPortAllocation: flag,
        enableEndpointIndependentMapping: flag,
        endpointTypes: z.array(z.enum(['ENDPOINT_TYPE_VM', 'ENDPOINT_TYPE_SWG', 'ENDPOINT_TYPE_MANAGED_PROXY_LB'])),
        icmpIdleTimeoutSec: int32,
        logConfig: message({ enable: flag, filter: z.enum(['ALL', 'ERRORS_ONLY', 'TRANSLATIONS_ONLY']) }),
        maxPortsPerVm: int32,
        minPortsPerVm: int32,
        name: text,
        natIpAllocateOption: z.enum(['AUTO_ONLY', 'MANUAL_ONLY']),
        natIps: texts,
        sourceSubnetworkIpRangesToNat: z.enum(['ALL_SUBNETWORKS_ALL_IP_RANGES', 'ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES', 'LIST_OF_SUBNETWORKS']),
        subnetworks: z.array(message({ name: text, sourceIpRangesToNat: texts, secondaryIpRangeNames: texts })),
        tcpEstablishedIdleTimeoutSec: int32,
        tcpTimeWaitTimeoutSec: int32,
        tcpTransitoryIdleTimeoutSec: int32,
        type: z.enum(['PUBLIC', 'PRIVATE']),
        udpIdleTimeoutSec: int32,
      }),
    ),
    network: text,
    region: z.unknown(),
  }),
} as const;

export type Body<Name extends keyof typeof bodies> = z.output<(typeof bodies)[Name]>;

/** The body in the shape asked for, or the API's error for the first field that does not fit. */
export function read<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const result = shape.safeParse(body ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw result.error;
  const where = ['resource', ...issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))].join('');
  const message =
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `Invalid JSON payload received. Unknown name "${key}" at '${where}': Cannot find field.`).join('\n')
      : `Invalid value at '${where}': ${issue.message}`;
  throw new ApiError(400, 'badRequest', message);
}
