/** The resources as the API shows them. A field that is absent here is absent in the API's answer too, never null or empty. */

export interface Resource {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly selfLink: string;
  readonly creationTimestamp: string;
}

export interface Network extends Resource {
  readonly description?: string;
  readonly autoCreateSubnetworks: boolean;
  readonly mtu: number;
  readonly networkFirewallPolicyEnforcementOrder: string;
  readonly routingConfig: object;
  /** Made from the subnetworks when the network is shown. */
  readonly subnetworks?: readonly string[];
}

export interface Subnetwork extends Resource {
  readonly region: string;
  readonly network: string;
  readonly ipCidrRange: string;
  readonly gatewayAddress: string;
  readonly fingerprint: string;
  readonly privateIpGoogleAccess: boolean;
  readonly privateIpv6GoogleAccess: string;
  readonly purpose: string;
  readonly stackType: string;
}

export interface Router extends Resource {
  readonly region: string;
  readonly network: string;
  readonly nats?: readonly object[];
}

/** A reserved external address. */
export interface Address extends Resource {
  readonly region: string;
  readonly address: string;
  readonly addressType: 'EXTERNAL';
  readonly networkTier: string;
  readonly status: 'RESERVED' | 'IN_USE';
}

export interface Protocol {
  readonly IPProtocol: string;
  readonly ports?: readonly string[];
}

export interface Firewall extends Resource {
  readonly network: string;
  readonly direction: 'INGRESS' | 'EGRESS';
  readonly priority: number;
  readonly disabled: boolean;
  readonly sourceRanges?: readonly string[];
  readonly targetTags?: readonly string[];
  readonly allowed?: readonly Protocol[];
  readonly denied?: readonly Protocol[];
}

export interface Disk extends Resource {
  readonly zone: string;
  readonly sizeGb: string;
  readonly type: string;
  readonly status: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly labelFingerprint: string;
  readonly physicalBlockSizeBytes: string;
  readonly sourceImage?: string;
  /** Links of the instances that it is attached to. */
  readonly users?: readonly string[];
}

export interface AccessConfig {
  readonly kind: string;
  readonly name: string;
  readonly type: string;
  readonly networkTier: string;
  readonly natIP?: string;
}

export interface NetworkInterface {
  readonly kind: string;
  readonly name: string;
  readonly network: string;
  readonly subnetwork: string;
  readonly networkIP: string;
  readonly fingerprint: string;
  readonly stackType: string;
  readonly accessConfigs?: readonly AccessConfig[];
}

export interface AttachedDisk {
  readonly kind: string;
  readonly type: string;
  readonly mode: string;
  readonly source: string;
  readonly deviceName: string;
  readonly index: number;
  readonly boot: boolean;
  readonly autoDelete: boolean;
  readonly interface: string;
  readonly diskSizeGb: string;
}

export interface Metadata {
  readonly kind: string;
  readonly fingerprint: string;
  readonly items?: readonly { readonly key: string; readonly value: string }[];
}

export interface Instance extends Resource {
  readonly lastStartTimestamp?: string;
  readonly lastStopTimestamp?: string;
  readonly status: 'PROVISIONING' | 'STAGING' | 'RUNNING' | 'STOPPING' | 'TERMINATED';
  readonly zone: string;
  readonly machineType: string;
  readonly networkInterfaces: readonly NetworkInterface[];
  readonly disks: readonly AttachedDisk[];
  readonly metadata: Metadata;
  readonly tags: { readonly fingerprint: string; readonly items?: readonly string[] };
  readonly labels?: Readonly<Record<string, string>>;
  readonly labelFingerprint: string;
  readonly serviceAccounts?: readonly { readonly email: string; readonly scopes: readonly string[] }[];
  readonly deletionProtection: boolean;
  readonly cpuPlatform: string;
  readonly canIpForward: boolean;
  readonly fingerprint: string;
  readonly scheduling: object;
  readonly shieldedInstanceConfig: object;
  readonly description?: string;
}

export interface Operation {
  readonly kind: 'compute#operation';
  readonly id: string;
  readonly name: string;
  readonly selfLink: string;
  readonly operationType: string;
  readonly targetLink: string;
  readonly targetId: string;
  readonly user: string;
  readonly insertTime: string;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly status: 'PENDING' | 'RUNNING' | 'DONE';
  readonly progress: number;
  readonly zone?: string;
  readonly region?: string;
  readonly error?: { readonly errors: readonly { readonly code: string; readonly message: string }[] };
  readonly httpErrorStatusCode?: number;
  readonly httpErrorMessage?: string;
}
